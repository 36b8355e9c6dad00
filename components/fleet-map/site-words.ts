import type { DeviceItem, FleetView } from '#lib/views/schemas.ts';
import { plural } from '../ui/format.ts';

export interface SiteWords {
  count: string;
  /** what is not as it should be, in words; null = all live */
  troubles: { text: string; degraded: boolean }[];
}

/** "6 devices, 1 hot": the reason's own word where all share it. */
export function siteWords(site: FleetView['sites'][number], devices: readonly DeviceItem[]): SiteWords {
  const troubles: SiteWords['troubles'] = [];
  if (site.degraded > 0) {
    const reasons = devices
      .filter((device) => device.site === site.id && device.state === 'degraded')
      .map((device) => device.reason);
    const hot = reasons.length > 0 && reasons.every((reason) => reason.startsWith('hot'));
    troubles.push({ text: `${site.degraded} ${hot ? 'hot' : 'degraded'}`, degraded: true });
  }
  if (site.down > 0) troubles.push({ text: `${site.down} silent`, degraded: false });
  const unknown = site.devices - site.live - site.degraded - site.down;
  if (unknown > 0 && unknown < site.devices) troubles.push({ text: `${unknown} unknown`, degraded: false });
  return { count: plural(site.devices, 'device'), troubles };
}

export const siteLine = (words: SiteWords): string =>
  `${words.count}, ${words.troubles.length === 0 ? 'all live' : words.troubles.map((each) => each.text).join(', ')}`;
