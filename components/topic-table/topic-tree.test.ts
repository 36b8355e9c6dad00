import { describe, expect, it } from 'vitest';
import { topic, topics } from '../fixtures/story.ts';
import { tiles, topicRows } from './topic-tree.ts';

describe('the topic tree', () => {
  it('groups by the first two segments, busiest first, and keeps what is alone flat', () => {
    const rows = topicRows(topics);
    expect(rows.slice(0, 3).map((row) => [row.kind, row.label])).toEqual([
      ['group', 'factory'],
      ['group', 'sf'],
      ['leaf', 'sim/state'],
    ]);
    expect(rows.find((row) => row.label === 'dublin/tables/mirror')).toMatchObject({ depth: 1, within: ['data'] });
    // vision has one second level: it would divide nothing
    expect(rows.find((row) => row.label === 'funabashi/camera/frame')).toMatchObject({ depth: 1, within: ['vision'] });
  });

  it('adds up rates and counts what fell silent', () => {
    const [factory] = topicRows(topics);
    expect(factory).toMatchObject({ kind: 'group', silent: 1 });
    expect(factory!.kind === 'group' && factory!.messagesPerS).toBeCloseTo(282.5, 5);
  });

  it('survives odd names: a leading slash, a trailing slash, one segment, none', () => {
    const odd = ['/a/b', '/a/c', 'x/', 'x/y', 'lone', ''].map((name) => topic(name, 1, 1, [], []));
    const rows = topicRows(odd);
    expect(rows.filter((row) => row.kind === 'leaf')).toHaveLength(odd.length);
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
  });

  it('draws tiles whose areas are the shares and which fill the box', () => {
    const placed = tiles(topics, (each) => each.bytesPerS, 1.25);
    const total = topics.reduce((sum, each) => sum + each.bytesPerS, 0);
    for (const tile of placed) {
      expect((tile.width * tile.height) / 10_000).toBeCloseTo(tile.topic.bytesPerS / total, 6);
      expect(tile.left + tile.width).toBeLessThanOrEqual(100.000001);
      expect(tile.top + tile.height).toBeLessThanOrEqual(100.000001);
    }
    expect(tiles([], () => 1, 1)).toEqual([]);
  });
});
