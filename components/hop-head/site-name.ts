/** A site as people call it. Views give its id, which is the slug of its name; a region's code stays as it is. */
export function siteName(site: string): string {
  if (site === '') return 'an unknown place';
  if (!/^[a-z]+(-[a-z]+)*$/.test(site)) return site;
  return site
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}
