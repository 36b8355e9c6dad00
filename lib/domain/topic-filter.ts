/** Does an MQTT topic filter match a topic name? [MQTT-4.7.1-1..3, MQTT-4.7.2-1] */
export function topicFilterMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const given = topic.split('/');
  // [MQTT-4.7.2-1] a wildcard in the first level does not match topics that begin with $
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false;
  for (let level = 0; level < wanted.length; level++) {
    // [MQTT-4.7.1-2] # also matches the parent level
    if (wanted[level] === '#') return true;
    if (level >= given.length) return false;
    if (wanted[level] !== '+' && wanted[level] !== given[level]) return false;
  }
  return wanted.length === given.length;
}

/** Globs over names: * any run of characters, ? one. Everything else is itself. */
export function globMatches(glob: string, name: string): boolean {
  // Two pointers with one way back: linear for the globs people write, and no regular expression made of a stranger's text
  let g = 0;
  let n = 0;
  let star = -1;
  let back = 0;
  while (n < name.length) {
    if (g < glob.length && (glob[g] === '?' || (glob[g] === name[n] && glob[g] !== '*'))) {
      g++;
      n++;
    } else if (g < glob.length && glob[g] === '*') {
      star = g++;
      back = n;
    } else if (star >= 0) {
      g = star + 1;
      n = ++back;
    } else return false;
  }
  while (g < glob.length && glob[g] === '*') g++;
  return g === glob.length;
}
