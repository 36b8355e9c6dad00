/** Keeps labels apart: each stays as near to its own place as its neighbours allow, in their order. */
export function spread(places: readonly number[], gap: number, low: number, high: number): number[] {
  const order = places.map((place, index) => ({ place, index })).sort((a, b) => a.place - b.place || a.index - b.index);
  // Groups of labels that touch share one centre of gravity, so none drifts further than it must.
  const groups: { items: typeof order; start: number }[] = [];
  const startOf = (items: typeof order) => {
    const centre = items.reduce((sum, item, index) => sum + item.place - index * gap, 0) / items.length;
    return Math.min(Math.max(centre, low), Math.max(low, high - (items.length - 1) * gap));
  };
  for (const item of order) {
    groups.push({ items: [item], start: startOf([item]) });
    for (;;) {
      const last = groups.at(-1)!;
      const before = groups.at(-2);
      if (!before || before.start + before.items.length * gap <= last.start) break;
      const items = [...before.items, ...last.items];
      groups.splice(-2, 2, { items, start: startOf(items) });
    }
  }
  const result = new Array<number>(places.length).fill(0);
  for (const group of groups) {
    group.items.forEach((item, index) => {
      result[item.index] = group.start + index * gap;
    });
  }
  return result;
}
