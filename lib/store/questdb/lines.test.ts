import { SenderBufferV1, SenderOptions } from '@questdb/nodejs-client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, signed } from './dialect.ts';
import { Lines } from './lines.ts';
import { SpanLines } from './span-lines.ts';

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

  it('are cut into requests of about the size that was asked for, between rows', () => {
    const lines = new Lines('', 400_000);
    const what = 'x'.repeat(1_000);
    for (let i = 0; i < 1_000; i++) lines.add('gaps', i, ['w', what, i]);
    const bodies = lines.bodies();
    expect(bodies.length).toBe(3);
    for (const body of bodies) expect(body.toString()).toMatch(/i \d+\n$/);
    expect(bodies.join('').split('\n')).toHaveLength(1_001);
  });

  it('are written into the same memory once what stood there was sent', () => {
    const lines = new Lines('', 400_000);
    const fill = (count: number, what = 'é'.repeat(1_000)): Buffer[] => {
      for (let i = 0; i < count; i++) lines.add('gaps', i, ['w', what, i]);
      return lines.bodies();
    };
    const textsOf = (bodies: Buffer[]): string => bodies.join('');
    const memoryOf = (bodies: Buffer[]): Set<ArrayBufferLike> => new Set(bodies.map(({ buffer }) => buffer));
    for (const count of [300, 10, 150]) {
      const expected = textsOf(fill(count));
      const used = memoryOf(lines.bodies());
      for (let round = 0; round < 3; round++) {
        lines.clear();
        const again = fill(count);
        expect(textsOf(again)).toBe(expected);
        expect([...memoryOf(again)].every((each) => used.has(each))).toBe(true);
      }
      lines.clear();
    }
    // no body is larger than a request may become, but for the one row that is
    expect([...memoryOf(fill(1_000, 'x'.repeat(3_000)))].every(({ byteLength }) => byteLength < 500_000)).toBe(true);
    lines.clear();
    const long = 'x'.repeat(5_000_000);
    lines.add('gaps', 0, ['w', long, 1]);
    expect(textsOf(lines.bodies())).toBe(`gaps,whose=w what="${long}",to_ms=1i 0\n`);
    expect(lines.bodies()[0]!.buffer.byteLength).toBeGreaterThan(5_000_000);
    lines.clear();
    expect(fill(1)[0]!.buffer.byteLength).toBeLessThan(500_000);
  });

  it('of spans are the same, whichever way they are made', () => {
    const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const edge = fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n);
    const word = fc.constantFrom('', 'a', 'b c', 'd=,', '\\', '\n');
    const span = fc.record({
      hi: fc.oneof(id, edge),
      lo: fc.oneof(id, edge),
      id: fc.oneof(id, edge),
      parent: fc.oneof(id, edge),
      start: fc.bigInt({ min: 0n, max: 2n ** 62n }),
      took: fc.bigInt({ min: 0n, max: 2n ** 50n }),
      small: fc.nat(200),
      name: word,
      system: word,
      destination: word,
    });
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 20 }), fc.string(), (rows, collector) => {
        const strings = ['', 'a', 'b c', 'd=,', '\\', '\n'];
        const of = (column: 'name' | 'system' | 'destination') =>
          Uint32Array.from(rows, (row) => strings.indexOf(row[column]));
        const small = Uint8Array.from(rows, (row) => row.small);
        const spans = {
          count: rows.length,
          strings,
          resources: [],
          traceHi: BigUint64Array.from(rows, (row) => row.hi),
          traceLo: BigUint64Array.from(rows, (row) => row.lo),
          spanId: BigUint64Array.from(rows, (row) => row.id),
          parentId: BigUint64Array.from(rows, (row) => row.parent),
          startNanos: BigInt64Array.from(rows, (row) => row.start),
          durationNanos: BigInt64Array.from(rows, (row) => row.took),
          kind: small,
          status: small,
          flags: small,
          operation: small,
          name: of('name'),
          resource: new Uint32Array(rows.length),
          system: of('system'),
          destination: of('destination'),
          links: {
            count: 0,
            row: new Uint32Array(),
            traceHi: new BigUint64Array(),
            traceLo: new BigUint64Array(),
            spanId: new BigUint64Array(),
          },
        };
        const one = new Lines('p_');
        const fast = new SpanLines(
          one,
          spans,
          { micros: 5, collector: `c${collector}`, seq: 7 },
          ['r 1'],
          (i) => strings[i]!,
        );
        const other = new Lines('p_');
        for (const [i, row] of rows.entries()) {
          fast.add(i);
          other.add('spans', 5, [
            `c${collector}`,
            bucketOf(row.lo),
            row.name,
            'r 1',
            row.system,
            row.destination,
            signed(row.hi),
            signed(row.lo),
            signed(row.id),
            signed(row.parent),
            row.start,
            row.took,
            row.small,
            row.small,
            row.small,
            row.small,
            7,
            i,
          ]);
        }
        expect(textOf(one)).toBe(textOf(other));
      }),
    );
  });
});
