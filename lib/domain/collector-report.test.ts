import { describe, expect, it } from 'vitest';
import { type CollectorReport, type Hearing, hear, readReport } from './collector-report.ts';
import { silentWords } from './collector-words.ts';
import { brokerStatusOf, heardOf, listenerOf, reportOf, tallyThrough } from './fixtures/collector-reports.ts';

const noonMs = Date.parse('2026-11-21T12:00:00Z');

const written = ({ collectorId: _, atMs: __, ...body }: CollectorReport): string => JSON.stringify(body);

describe('a report that was written', () => {
  const report = reportOf('a', {
    atMs: noonMs,
    startedMs: noonMs - 5_000,
    sinceMs: noonMs - 5_000,
    reasons: ['the disk is full'],
    listeners: [listenerOf('OTLP/HTTP', { refused: { busy: 3 } })],
    brokers: [brokerStatusOf('hannover', { state: 'waiting', sinceMs: noonMs - 100 })],
    tally: tallyThrough(7, 40, 2, 'a'),
    counters: [{ name: 'x_total', help: 'X', type: 'counter', samples: [{ labels: { kind: 'y' }, value: 3 }] }],
  });

  it('is read as it was told', () => expect(readReport('a', noonMs, written(report))).toEqual(report));

  it.each([
    ['nothing', ''],
    ['no JSON', '{"version":'],
    ['another kind', '[1, null]'],
    [
      'fields of other kinds',
      '{"version":{},"reasons":"full","brokers":[7,{"state":1}],"tally":{"throughSeq":"9"},"spool":3}',
    ],
    ['numbers that are none', '{"startedMs":1e300,"spool":{"items":1e999},"stoppedMs":9e15}'],
  ])('with %s in it leaves unknown what it does not tell', (_, body) => {
    const read = readReport('a', noonMs, body);
    expect(read).toMatchObject({ collectorId: 'a', atMs: noonMs, startedMs: noonMs, stoppedMs: null, version: '' });
    expect(read).toMatchObject({ reasons: [], brokers: [], tally: null, spool: { items: 0 } });
  });

  it('by a newer collector tells what is known here, and a state nobody knows by its own word', () => {
    const newer = { ...JSON.parse(written(report)), version: '9.0.0', kernel: { cores: 4 } };
    newer.brokers[0] = { name: 'hannover', state: 'half-open', hops: 3 };
    const read = readReport('a', noonMs, JSON.stringify(newer));
    expect(read).toMatchObject({ version: '9.0.0', tally: { throughSeq: 7, acknowledgedItems: 40 } });
    expect(read.brokers).toEqual([brokerStatusOf('hannover', { state: 'half-open', sinceMs: null })]);
    expect(read).not.toHaveProperty('kernel');
  });
});

describe('a collector', () => {
  let hearing: Hearing | null = null;
  const at = (seconds: number, ...reports: CollectorReport[]) => {
    hearing = hear(hearing, reports, noonMs + seconds * 1000);
    return Object.fromEntries([...hearing.collectors].map(([id, { state }]) => [id, state]));
  };
  const begin = (): void => {
    hearing = null;
  };
  const toldAt = (seconds: number, more: Partial<CollectorReport> = {}, id = 'a') =>
    reportOf(id, { atMs: noonMs + seconds * 1000, ...more });

  it('is receiving while its report changes, and silent 15 s after it last did', () => {
    begin();
    expect(at(0, toldAt(-1))).toEqual({ a: 'receiving' });
    for (let s = 2; s <= 20; s += 2) expect(at(s, toldAt(s - 1)), `${s} s`).toEqual({ a: 'receiving' });
    for (let s = 22; s <= 34; s += 2) expect(at(s, toldAt(19)), `${s} s`).toEqual({ a: 'receiving' });
    expect(at(36, toldAt(19))).toEqual({ a: 'silent' });
    expect(silentWords(hearing!.collectors.get('a')!, noonMs + 36_000)).toBe(
      'the collector a on host-of-a was last heard at 12:00 UTC, with nothing in its spool',
    );
    expect(at(38, toldAt(37))).toEqual({ a: 'receiving' });
  });

  it('whose clock is an hour off is heard all the same', () => {
    for (const off of [-3_600, 3_600]) {
      begin();
      expect(at(0, toldAt(off))).toEqual({ a: off < 0 ? 'unsure' : 'receiving' });
      for (let s = 2; s <= 30; s += 2) expect(at(s, toldAt(s + off))).toEqual({ a: 'receiving' });
      expect(hearing!.collectors.get('a')!.heardMs).toBe(noonMs + 30_000);
      for (let s = 32; s <= 44; s += 2) expect(at(s, toldAt(30 + off))).toEqual({ a: 'receiving' });
      expect(at(46, toldAt(30 + off))).toEqual({ a: 'silent' });
    }
  });

  it('that was found silent is unsure for 15 s, since nobody listened before', () => {
    begin();
    expect(at(0, toldAt(-600))).toEqual({ a: 'unsure' });
    for (let s = 2; s <= 14; s += 2) expect(at(s, toldAt(-600))).toEqual({ a: 'unsure' });
    expect(at(16, toldAt(-600))).toEqual({ a: 'silent' });
    expect(hearing!.collectors.get('a')!.heardMs).toBe(noonMs - 600_000);
  });

  it('falls silent for nobody who could not hear: the store was away, or we slept', () => {
    begin();
    at(0, toldAt(-1));
    at(2, toldAt(1));
    expect(at(60, toldAt(1))).toEqual({ a: 'unsure' });
    expect(at(62, toldAt(61))).toEqual({ a: 'receiving' });
    expect(at(200, toldAt(61))).toEqual({ a: 'unsure' });
    for (let s = 202; s <= 214; s += 2) at(s, toldAt(61));
    expect(at(216, toldAt(61))).toEqual({ a: 'silent' });
    // who was silent before is so still
    expect(at(400, toldAt(61))).toEqual({ a: 'silent' });
  });

  it('that says it was stopped is stopped, however long ago; a week later it is forgotten', () => {
    begin();
    const stopped = toldAt(0, { stoppedMs: noonMs });
    expect(at(1, stopped)).toEqual({ a: 'stopped' });
    expect(at(86_400, stopped)).toEqual({ a: 'stopped' });
    expect(at(8 * 86_400, stopped)).toEqual({});
    expect(at(8 * 86_400 + 2, toldAt(8 * 86_400))).toEqual({ a: 'receiving' });
  });

  it('whose spool was replaced goes by its new name alone; two in one place at a time are two', () => {
    begin();
    const place = { host: 'booth', dataDir: '/data' };
    const before = toldAt(0, place, 'old');
    expect(at(2, before, toldAt(2, { ...place, sinceMs: noonMs + 1_000 }, 'new'))).toEqual({ new: 'receiving' });
    const twin = toldAt(2, { ...place, sinceMs: noonMs - 1_000 }, 'twin');
    expect(Object.keys(at(2, before, twin))).toEqual(['old', 'twin']);
  });

  it('says what it was last known to hold', () => {
    const heard = heardOf('3f2a91c0-77', 'silent', noonMs, { host: 'rio', tally: tallyThrough(1, 2_000, 1_204) });
    expect(silentWords(heard, noonMs + 86_400_000)).toBe(
      'the collector 3f2a91c0 on rio was last heard at 2026-11-21 12:00 UTC, with 1,204 items in its spool',
    );
  });
});
