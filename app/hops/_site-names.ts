import { hopscope } from '../_server.ts';

/** Sites as the configuration calls them, by id. Views speak of ids. */
export const siteNames = (): Record<string, string> =>
  Object.fromEntries(hopscope().config.rules.sites.map((site) => [site.id, site.name]));
