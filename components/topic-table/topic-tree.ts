import type { TopicItem } from '#lib/views/schemas.ts';

export interface TopicGroup {
  kind: 'group';
  id: string;
  label: string;
  depth: 0 | 1;
  /** ids of the groups it lies in */
  within: string[];
  topics: TopicItem[];
  messagesPerS: number;
  bytesPerS: number;
  silent: number;
}

export interface TopicLeaf {
  kind: 'leaf';
  id: string;
  /** what the groups above have not said yet */
  label: string;
  depth: number;
  within: string[];
  topic: TopicItem;
}

export type TopicRow = TopicGroup | TopicLeaf;

const sum = (topics: readonly TopicItem[], of: (topic: TopicItem) => number): number =>
  topics.reduce((total, topic) => total + of(topic), 0);

function group(id: string, label: string, depth: 0 | 1, within: string[], topics: TopicItem[]): TopicGroup {
  return {
    kind: 'group',
    id,
    label,
    depth,
    within,
    topics,
    messagesPerS: sum(topics, (topic) => topic.messagesPerS),
    bytesPerS: sum(topics, (topic) => topic.bytesPerS),
    silent: topics.filter((topic) => topic.state === 'silent').length,
  };
}

/**
 * The tree of segments, two levels deep: deeper ones make a row per segment and say nothing more. A second level only
 * where it divides something. Order of the view (busiest first) is kept within each group, groups by their total.
 */
export function topicRows(items: readonly TopicItem[]): TopicRow[] {
  const brokers = new Set(items.map((item) => item.broker));
  const rows: TopicRow[] = [];
  const byTotal = (a: [string, TopicItem[]], b: [string, TopicItem[]]) =>
    sum(b[1], (topic) => topic.messagesPerS) - sum(a[1], (topic) => topic.messagesPerS) || a[0].localeCompare(b[0]);
  // a leading slash makes an empty first segment, which is a level of its own in MQTT [MQTT-4.7.3]
  const segmentsOf = (topic: TopicItem) => topic.topic.split('/');
  const tops = [...Map.groupBy(items, (item) => `${brokers.size > 1 ? `${item.broker}: ` : ''}${segmentsOf(item)[0]}`)];
  for (const [top, topics] of tops.sort(byTotal)) {
    const alone = topics.length === 1;
    if (alone) {
      rows.push(leaf(topics[0]!, topics[0]!.topic, 0, []));
      continue;
    }
    rows.push(group(top, top, 0, [], topics));
    const seconds = [...Map.groupBy(topics, (item) => segmentsOf(item)[1] ?? '')].sort(byTotal);
    for (const [second, inner] of seconds) {
      const rest = (topic: TopicItem, from: number) => segmentsOf(topic).slice(from).join('/') || topic.topic;
      if (seconds.length === 1 || inner.length === 1) {
        for (const topic of inner) rows.push(leaf(topic, rest(topic, 1), 1, [top]));
        continue;
      }
      const id = `${top}/${second}`;
      rows.push(group(id, second === '' ? '(empty)' : second, 1, [top], inner));
      for (const topic of inner) rows.push(leaf(topic, rest(topic, 2), 2, [top, id]));
    }
  }
  return rows;
}

const leaf = (topic: TopicItem, label: string, depth: number, within: string[]): TopicLeaf => ({
  kind: 'leaf',
  id: `${topic.broker} ${topic.topic}`,
  label,
  depth,
  within,
  topic,
});

/** Values of several topics added up step by step; a step in which none was heard stays empty. */
export function addedSpark(topics: readonly TopicItem[]): TopicItem['spark'] {
  const first = topics[0]!.spark;
  return {
    ...first,
    values: first.values.map((_, index) => {
      const heard = topics.map((topic) => topic.spark.values[index] ?? null).filter((value) => value !== null);
      return heard.length === 0 ? null : heard.reduce((total, value) => total + value, 0);
    }),
  };
}

export interface Tile {
  topic: TopicItem;
  /** percent of the box */
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Squarified treemap (Bruls, Huizing, van Wijk 2000) in percent of a box with the given aspect. */
export function tiles(topics: readonly TopicItem[], weight: (topic: TopicItem) => number, aspect: number): Tile[] {
  const sorted = topics.filter((topic) => weight(topic) > 0).toSorted((a, b) => weight(b) - weight(a));
  const total = sum(sorted, weight);
  if (total === 0) return [];
  const box = { left: 0, top: 0, width: aspect, height: 1 };
  const scale = aspect / total;
  const placed: Tile[] = [];
  const worst = (row: number[], side: number): number => {
    const area = row.reduce((a, b) => a + b, 0);
    return Math.max((side * side * Math.max(...row)) / (area * area), (area * area) / (side * side * Math.min(...row)));
  };
  let index = 0;
  while (index < sorted.length) {
    const side = Math.min(box.width, box.height);
    const row = [weight(sorted[index]!) * scale];
    let end = index + 1;
    while (end < sorted.length) {
      const next = weight(sorted[end]!) * scale;
      if (worst([...row, next], side) > worst(row, side)) break;
      row.push(next);
      end++;
    }
    const thick = row.reduce((a, b) => a + b, 0) / side;
    const standing = box.width >= box.height;
    let along = 0;
    for (const [offset, area] of row.entries()) {
      const long = area / thick;
      placed.push({
        topic: sorted[index + offset]!,
        left: ((box.left + (standing ? 0 : along)) / aspect) * 100,
        top: (box.top + (standing ? along : 0)) * 100,
        width: ((standing ? thick : long) / aspect) * 100,
        height: (standing ? long : thick) * 100,
      });
      along += long;
    }
    if (standing) {
      box.left += thick;
      box.width -= thick;
    } else {
      box.top += thick;
      box.height -= thick;
    }
    index = end;
  }
  return placed;
}
