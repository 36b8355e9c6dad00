import { describe, expect, it } from 'vitest';
import { type Finding, keyOf, type Part } from './alert.ts';
import { foldFindings, type Group, type OpenCause } from './alert-fold.ts';
import {
  drawnFinding as finding,
  fineFinding as fine,
  slowHop as hop,
  noonMs,
  drawnPart as part,
} from './fixtures/drawn-finding.ts';

/** mulberry32 */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const pick = <T>(random: (below: number) => number, of: readonly T[]): T => of[random(of.length)]!;

/**
 * A fleet of five sites around a broker: services at each of them that ask others by way of the broker, 26 devices that they stand on, and
 * paths of two to four hops. Everything is as it should be.
 */
function fleetOf(seed: number) {
  const random = randomFrom(seed);
  const sites = ['hannover', 'dublin', 'ashburn', 'san-francisco', 'funabashi'];
  const leg = (a: string, b: string): Part[] => (a === b ? [] : [part('leg', [a, b].sort().join(' '))]);
  const devices = Array.from({ length: 26 }, (_, i) => ({ id: `d${i}`, site: sites[i % 5]!, service: `s${i}` }));
  const hops = Array.from({ length: 120 }, (_, i) => {
    const from = pick(random, devices);
    const to = pick(random, devices);
    const isMessage = random(3) > 0;
    const legs = isMessage ? [...leg(from.site, 'dublin'), ...leg('dublin', to.site)] : leg(from.site, to.site);
    return hop(`h${i}`, [
      part('service', `${to.service}@${to.site}`),
      part('service', `${from.service}@${from.site}`),
      ...legs,
      ...(isMessage ? [part('broker', 'broker-dublin')] : []),
      part('site', from.site),
      ...(to.site === from.site ? [] : [part('site', to.site)]),
      part('device', to.id),
    ]);
  });
  const paths = Array.from({ length: 40 }, (_, i) => {
    const walked = Array.from({ length: 2 + random(3) }, () => pick(random, hops));
    const parts = new Map(walked.flatMap((each) => each.parts).map((each) => [`${each.kind} ${each.id}`, each]));
    return finding('path-over-budget', 'path', `p${i}`, { parts: [part('path', `p${i}`), ...parts.values()] });
  });
  const down = devices.map(({ id, site }) =>
    finding('device-down', 'device', id, {
      parts: [part('device', id), ...leg(site, 'dublin'), part('broker', 'broker-dublin'), part('site', site)],
    }),
  );
  return { random, hops, paths, down, devices };
}

const news = (groups: readonly Group[]): Group[] => groups.filter(({ id }) => id === null);

describe('one cause is one alert', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('a slow link under many hops and ten paths, seed %i', (seed) => {
    const { random, hops, paths } = fleetOf(seed);
    const broken = 'dublin hannover';
    const crosses = ({ parts }: Finding): boolean => parts.some(({ kind, id }) => kind === 'leg' && id === broken);
    const begun = (each: Finding): Finding => ({ ...each, sinceMs: noonMs + random(40_000) });
    const slowPaths = paths.filter(crosses).slice(0, 10);
    const all = [
      ...hops.map((each) => (crosses(each) ? begun(each) : fine(each, 60_000))),
      ...slowPaths.map(begun),
      ...paths.filter((path) => !crosses(path)).map((each) => fine(each, 60_000)),
    ];
    const groups = foldFindings(all, []);
    expect(groups).toHaveLength(1);
    expect(groups[0]!.cause).toMatchObject({ kind: 'leg', id: broken });
    expect(groups[0]!.findings.length).toBeGreaterThan(20);
    // whatever comes in the wake of it belongs to it
    expect(groups[0]!.findings[0]!.subject.kind).toBe('hop');
  });

  it.each([1, 2, 3])('26 devices that fall silent one after the other behind a cut link, seed %i', (seed) => {
    const { random } = fleetOf(seed);
    const behind = Array.from({ length: 26 }, (_, i) =>
      finding('device-down', 'device', `d${i}`, {
        sinceMs: noonMs + random(30_000),
        parts: [part('device', `d${i}`), part('leg', 'dublin hannover'), part('broker', 'b'), part('site', 'hannover')],
      }),
    );
    const elsewhere = Array.from({ length: 12 }, (_, i) =>
      fine(
        finding('device-down', 'device', `e${i}`, {
          parts: [part('device', `e${i}`), part('leg', 'ashburn dublin'), part('broker', 'b'), part('site', 'ashburn')],
        }),
        120_000,
      ),
    );
    let open: OpenCause[] = [];
    let told = 0;
    const inOrder = behind.toSorted((a, b) => a.sinceMs - b.sinceMs);
    for (let n = 1; n <= 26; n++) {
      // who is overdue is not known to be down, nor to be up
      const rest = inOrder.slice(n).map((each) => ({ ...fine(each), usualAtMs: null }));
      const groups = foldFindings([...inOrder.slice(0, n), ...rest, ...elsewhere], open);
      told += news(groups).length;
      open = groups.map(({ cause, findings }, i) => ({
        id: `a${i}`,
        cause,
        sinceMs: noonMs,
        members: new Set(findings.map(keyOf)),
      }));
    }
    expect(told).toBe(1);
    expect(open).toHaveLength(1);
  });

  it('a path and the hop that it blames', () => {
    const slow = hop('h1', [part('service', 'events@ashburn'), part('site', 'ashburn')]);
    const path = finding('path-over-budget', 'path', 'press', {
      guilty: part('hop', 'h1'),
      sinceMs: noonMs - 5_000,
      parts: [part('path', 'press'), part('hop', 'h1'), part('service', 'events@ashburn')],
    });
    const [group, ...others] = foldFindings([path, slow], []);
    expect(others).toEqual([]);
    expect(group!.findings.map(({ subject }) => subject.id)).toEqual(['h1', 'press']);
    expect(foldFindings([path], [])[0]!.cause).toMatchObject({ kind: 'hop', id: 'h1' });
  });
});

describe('ten causes are ten alerts', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'hops, devices and topics that have nothing in common, at the same moment, seed %i',
    (seed) => {
      const { random, hops, down } = fleetOf(seed);
      const badHops = new Set<Finding>();
      while (badHops.size < 5) {
        const candidate = pick(random, hops);
        const ends = (each: Finding) =>
          each.parts.filter(({ kind }) => kind === 'service' || kind === 'device').map(({ id }) => id);
        if ([...badHops].every((each) => !ends(each).some((end) => ends(candidate).includes(end))))
          badHops.add(candidate);
      }
      const served = new Set(
        [...badHops].flatMap(({ parts }) => parts.filter(({ kind }) => kind === 'device').map(({ id }) => id)),
      );
      const badDevices = down.filter(({ subject }) => !served.has(subject.id)).slice(0, 3);
      const topics = ['t1', 't2'].map((id) =>
        finding('silent-topic', 'topic', id, { parts: [part('topic', id), part('broker', 'broker-dublin')] }),
      );
      const all = [
        ...hops.map((each) => (badHops.has(each) ? each : fine(each))),
        ...down.map((each) => (badDevices.includes(each) ? each : fine(each))),
        ...topics,
      ];
      const groups = foldFindings(all, []);
      expect(groups.map(({ findings }) => findings.map(({ subject }) => subject.id))).toHaveLength(10);
    },
  );

  it('the same place, an hour apart', () => {
    const site = part('site', 'hannover');
    const groups = foldFindings([hop('h1', [site]), hop('h2', [site], { sinceMs: noonMs + 3_600_000 })], []);
    expect(groups).toHaveLength(2);
  });
});

describe('a cause that is known', () => {
  const leg = part('leg', 'dublin hannover');
  const open: OpenCause = {
    id: 'a1',
    cause: leg,
    sinceMs: noonMs,
    members: new Set(['over-budget hop h1', 'over-budget hop h2']),
  };

  it('takes in what comes later', () => {
    const late = hop('h3', [leg], { sinceMs: noonMs + 900_000 });
    const groups = foldFindings([hop('h1', [leg]), hop('h2', [leg]), late], [open]);
    expect(groups).toHaveLength(1);
    expect(groups[0]!.id).toBe('a1');
    expect(groups[0]!.findings).toContain(late);
  });

  it('takes in nothing once most of what passes through it is as usual', () => {
    const others = ['h4', 'h5', 'h6', 'h7'].map((id) => fine(hop(id, [leg]), 900_000));
    const late = hop('h3', [leg], { sinceMs: noonMs + 900_000 });
    const groups = foldFindings([hop('h1', [leg]), hop('h2', [leg]), late, ...others], [open]);
    expect(news(groups).map(({ findings }) => findings)).toEqual([[late]]);
  });

  it('takes in nothing that was bad long before', () => {
    const early = hop('h3', [leg], { sinceMs: noonMs - 900_000 });
    expect(news(foldFindings([hop('h1', [leg]), hop('h2', [leg]), early], [open]))).toHaveLength(1);
  });
});

it('who is heard as usual speaks for a link that is said to be cut, not for one that is said to be slow', () => {
  const leg = part('leg', 'dublin hannover');
  const heard = Array.from({ length: 9 }, (_, i) =>
    fine(finding('device-down', 'device', `d${i}`, { parts: [part('device', `d${i}`), leg] })),
  );
  const slow = [hop('h1', [leg]), hop('h2', [leg])];
  expect(foldFindings([...slow, ...heard], [])).toHaveLength(1);
  const silent = ['x', 'y'].map((id) => finding('silent-topic', 'topic', id, { parts: [part('topic', id), leg] }));
  expect(foldFindings([...silent, ...heard], [])).toHaveLength(2);
});
