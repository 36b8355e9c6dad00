import { describe, expect, it } from 'vitest';
import { buttonPress, type DrawnWork, drawRequest, fanOut, thirdTime } from './fixtures/drawn-request.ts';
import { hash64, spanIdHex } from './ids.ts';
import { endToEndOf, type PathNode, pathIdOf, requestPathOf } from './request-path.ts';

const pathOf = (work: DrawnWork[], more?: Parameters<typeof drawRequest>[1]) => {
  const { spans, crossings } = drawRequest(work, more);
  return requestPathOf(spans, crossings)!;
};
const hop = (from: string, to: string, system = 'mqtt') => hash64(from, to, system);
const leaf = (id: bigint, count = 1, attempts = count): PathNode => ({ hop: id, count, attempts, next: [] });

describe('the path of a request', () => {
  it('goes there and back over messages', () => {
    expect(pathOf(buttonPress).hops).toEqual([
      { ...leaf(hop('button', 'events')), next: [leaf(hop('events', 'button'))] },
    ]);
  });

  it('has a branch for each of two who take one message, in the order of hop ids', () => {
    const ids = [hop('camera', 'screen'), hop('camera', 'archive')].sort((a, b) => (a < b ? -1 : 1));
    expect(pathOf(fanOut).hops).toEqual(ids.map((id) => leaf(id)));
  });

  it('counts two who take it on one hop as one place crossed twice', () => {
    const two = [
      ...fanOut.slice(0, 3),
      { id: '09', parent: '02', on: 'screen', kind: 'consumer' as const, from: 7, to: 9 },
    ];
    expect(pathOf(two).hops).toEqual([leaf(hop('camera', 'screen'), 2)]);
  });

  it('has calls that reached nobody as attempts, and leaves a far end without spans out', () => {
    // SELECT has no span at its far end, and is no attempt at anything
    expect(pathOf(thirdTime).hops).toEqual([leaf(hop('kiosk', 'shop', 'http'), 1, 3)]);
  });

  it('is the same path however often a hop was crossed, however long it took and whatever the clocks said', () => {
    const repeats = [
      ...fanOut,
      { id: '0a', parent: '01', on: 'camera', kind: 'producer' as const, from: 50, to: 51 },
      { id: '0b', parent: '0a', on: 'screen', kind: 'consumer' as const, from: 55, to: 59 },
    ];
    expect(pathOf(repeats).id).toBe(pathOf(fanOut).id);
    expect(pathOf(fanOut, { ahead: { screen: 4_000 }, boundMs: null }).id).toBe(pathOf(fanOut).id);
  });

  it('is another path with a hop less, with a hop elsewhere, and from another root', () => {
    const ids = [
      pathOf(fanOut).id,
      pathOf(fanOut.slice(0, 3)).id,
      pathOf(fanOut.map((w) => (w.on === 'archive' ? { ...w, on: 'vault' } : w))).id,
      pathOf(fanOut.map((w) => (w.id === '01' ? { ...w, name: 'still' } : w))).id,
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has an id that holds over restarts: these are written down', () => {
    expect(spanIdHex(pathOf(buttonPress).id)).toBe('4839a3af933ce5e9');
    expect(spanIdHex(pathOf(fanOut).id)).toBe('8289f71117d0a646');
    expect(pathIdOf({ rootName: 'button press', application: 'factory' })).toBe('6d30970d54a74c8b');
    expect(pathIdOf({ rootName: 'button press', application: 'vision' })).not.toBe('6d30970d54a74c8b');
  });

  it('does not depend on the order of rows', () => {
    for (const work of [buttonPress, fanOut, thirdTime]) {
      const { spans, crossings } = drawRequest(work);
      const path = requestPathOf(spans, crossings);
      for (let turn = 1; turn < spans.length; turn++) {
        const turned = [...spans.slice(turn), ...spans.slice(0, turn)].reverse();
        expect(requestPathOf(turned, [...crossings].reverse())).toEqual(path);
      }
    }
  });

  it('is cut where a stranger sends a chain without end', () => {
    const chain: DrawnWork[] = [{ id: '0', on: 'a', kind: 'internal', from: 0, to: 1 }];
    for (let i = 1; i < 3_000; i += 2) {
      chain.push({ id: `${i}`, parent: `${i - 1}`, on: i % 4 === 1 ? 'a' : 'b', kind: 'client', from: 0, to: 1 });
      chain.push({ id: `${i + 1}`, parent: `${i}`, on: i % 4 === 1 ? 'b' : 'a', kind: 'server', from: 0, to: 1 });
    }
    let depth = 0;
    for (let at = pathOf(chain).hops; at.length > 0; at = at[0]!.next) depth++;
    expect(depth).toBe(100);
  });
});

describe('end to end', () => {
  it('is the root where it outlives its replies, on one clock', () => {
    const { spans, crossings } = drawRequest(buttonPress, { ahead: { events: 700 } });
    expect(endToEndOf(spans, crossings)).toMatchObject({ rule: 'a', totalNanos: 16_000_000n, boundMs: 0 });
  });

  it('else goes to the end of the branch that ends last, with the bound of its clock', () => {
    const { spans, crossings } = drawRequest(fanOut, { ahead: { archive: 700, screen: -50 } });
    expect(endToEndOf(spans, crossings)).toMatchObject({
      rule: 'b',
      totalNanos: 34_000_000n,
      boundMs: 2,
      lastSpanId: '04',
    });
  });

  it('is open where nothing ties the clocks', () => {
    const { spans, crossings } = drawRequest(fanOut, { boundMs: null });
    expect(endToEndOf(spans, crossings)).toMatchObject({ rule: 'b', boundMs: null });
  });
});
