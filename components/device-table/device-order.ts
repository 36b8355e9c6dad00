import type { DeviceItem } from '#lib/views/schemas.ts';

export const deviceSorts = ['name', 'site', 'state', 'cpu', 'memory', 'seen'] as const;
export type DeviceSort = (typeof deviceSorts)[number];

const unwell: Record<DeviceItem['state'], number> = { down: 0, degraded: 1, unknown: 2, up: 3, retired: 4 };

/** figures start with the largest, words with the first letter */
export const startsDescending = (sort: DeviceSort): boolean => sort === 'cpu' || sort === 'memory' || sort === 'seen';

/** Absent values stand last, whichever way the column runs. */
export function sortDevices(items: readonly DeviceItem[], sort: DeviceSort, descending: boolean): DeviceItem[] {
  const way = descending ? -1 : 1;
  const keyOf = (device: DeviceItem): string | number | null => {
    switch (sort) {
      case 'name':
        return device.name;
      case 'site':
        return device.site;
      case 'state':
        return unwell[device.state];
      case 'cpu':
        return device.cpu;
      case 'memory':
        return device.memory;
      case 'seen':
        return device.lastSeen === null ? null : Date.parse(device.lastSeen);
    }
  };
  return items.toSorted((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    if (left === right) return a.name.localeCompare(b.name);
    if (left === null) return 1;
    if (right === null) return -1;
    const order = typeof left === 'string' ? left.localeCompare(right as string) : left - (right as number);
    return order * way || a.name.localeCompare(b.name);
  });
}
