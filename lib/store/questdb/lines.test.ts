import { SenderBufferV1, SenderOptions } from '@questdb/nodejs-client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lines } from './lines.ts';

const textOf = (lines: Lines): string => lines.bodies().join('');

describe('rows as lines', () => {
  it('are the bytes that the official client would send', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((s) => s.isWellFormed());
    // the client has no 64 bits: a column of whole numbers takes a number there
    const whole = fc.maxSafeInteger();
    // the client writes nanoseconds and says so in its address, we microseconds
    const asWritten = 'ns';
    fc.assert(
      fc.property(text, text, whole, fc.boolean(), fc.nat(), (symbol, word, long, flag, micros) => {
        const ours = new Lines('p_');
        ours.add('gaps', micros, [symbol, word, long]);
        ours.add('device_reports', micros, [symbol, '', word, long, flag, 1, 2]);
        const theirs = new SenderBufferV1(new SenderOptions('http::addr=localhost'));
        theirs.table('p_gaps').symbol('whose', symbol).stringColumn('what', word).intColumn('to_ms', long);
        theirs.at(BigInt(micros), asWritten);
        theirs.table('p_device_reports').symbol('collector', symbol).symbol('state', word);
        theirs.intColumn('time_ms', long).booleanColumn('retained', flag).intColumn('seq', 1).intColumn('n', 2);
        theirs.at(BigInt(micros), asWritten);
        expect(textOf(ours)).toBe(theirs.toBufferView().toString('utf8'));
      }),
    );
  });

  it('hold all 64 bits of an id', () => {
    const lines = new Lines('');
    lines.add('meta', 0, ['k', 'v']);
    lines.add('gaps', 1n, ['w', 'x', 2n ** 63n - 1n]);
    expect(textOf(lines)).toBe('meta,key=k value="v" 0\ngaps,whose=w what="x",to_ms=9223372036854775807i 1\n');
  });

  it('leave out what is unknown, and what the server writes for it', () => {
    const lines = new Lines('');
    lines.add('data_points', 5, ['c', 'r', '', null, -(2n ** 63n), Number.NaN, 1, 0]);
    expect(textOf(lines)).toBe('data_points,collector=c,resource=r seq=1i,n=0i 5\n');
  });

  it('are refused where a value is no number, or one is missing', () => {
    const lines = new Lines('');
    expect(() => lines.add('data_points', 5, ['c', 'r', 'm', '', Number.NaN, 1, 1, 0])).toThrow(
      'found NaN where a whole number was wanted',
    );
    expect(() => lines.add('data_points', 5, ['c'])).toThrow('data_points has 8 columns, 1 were given');
    expect(() => lines.add('gaps', 5, ['whose', '', null])).toThrow('says nothing');
    expect(textOf(lines)).toBe('');
  });

  it('are cut into requests of some megabytes, between rows', () => {
    const lines = new Lines('');
    const what = 'x'.repeat(1_000);
    for (let i = 0; i < 10_000; i++) lines.add('gaps', i, ['w', what, i]);
    const bodies = lines.bodies();
    expect(bodies.length).toBe(3);
    for (const body of bodies) expect(body).toMatch(/i \d+\n$/);
    expect(bodies.join('').split('\n')).toHaveLength(10_001);
  });
});
