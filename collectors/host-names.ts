const loopbackName = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const remembered = 1_000;

/**
 * Whether a Host header names us: a loopback name or a configured one. A page of another site that made its name point
 * here (DNS rebinding) fails this, whatever the browser thinks of its origin.
 */
export function hostCheck(hostNames: readonly string[]): (host: string | undefined) => boolean {
  const known = new Set(hostNames.map((name) => name.toLowerCase()));
  const seen = new Map<string, boolean>();
  return (host) => {
    if (host === undefined) return false;
    const before = seen.get(host);
    if (before !== undefined) return before;
    const name = host.toLowerCase().replace(/:\d{1,5}$/, '');
    const ours = loopbackName.test(name) || known.has(name);
    if (seen.size < remembered) seen.set(host, ours);
    return ours;
  };
}
