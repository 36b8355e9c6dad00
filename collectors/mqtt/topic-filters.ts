/** Whether every topic that `narrow` matches is matched by `wide` too (MQTT 5, 4.7.1; `#` and `+` do not match $-topics). */
export function covers(wide: string, narrow: string): boolean {
  const wideLevels = wide.split('/');
  const narrowLevels = narrow.split('/');
  if (narrow.startsWith('$') !== wide.startsWith('$')) return false;
  for (let i = 0; i < wideLevels.length; i++) {
    const level = wideLevels[i]!;
    if (level === '#') return true;
    const other = narrowLevels[i];
    if (other === undefined || other === '#') return false;
    if (level !== '+' && level !== other) return false;
  }
  return wideLevels.length === narrowLevels.length;
}

/** The filters without those that another one covers: a broker may deliver a message once for each that matches. */
export function mergeFilters(filters: readonly string[]): string[] {
  const distinct = [...new Set(filters)];
  return distinct.filter((filter) => !distinct.some((other) => other !== filter && covers(other, filter)));
}
