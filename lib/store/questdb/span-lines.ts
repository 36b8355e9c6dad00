import type { SpanColumns } from '#lib/domain/span-columns.ts';
import { type Lines, leastLong, symbolText } from './lines.ts';

export interface SpanOrigin {
  micros: number;
  collector: string;
  seq: number;
}

/**
 * Rows of spans, which come by the thousand: what repeats within a batch is made text once. The same text that Lines.add makes, value by
 * value, at a third of its time; its test holds the two together.
 */
export class SpanLines {
  readonly #lines: Lines;
  readonly #spans: SpanColumns;
  readonly #head: string;
  readonly #tail: string;
  readonly #end: string;
  readonly #names: (string | null)[];
  readonly #systems: (string | null)[];
  readonly #destinations: (string | null)[];
  readonly #resources: string[];
  readonly #kept: (index: number) => string;
  readonly #loWords: Uint32Array;
  readonly #hi: BigInt64Array;
  readonly #lo: BigInt64Array;
  readonly #id: BigInt64Array;
  readonly #parent: BigInt64Array;
  #trace = '';
  #traceRow = -1;
  #bucket = '';

  /** `kept`: what a text of the batch is stored as; `resources`: symbols of its resources. */
  constructor(
    lines: Lines,
    spans: SpanColumns,
    { micros, collector, seq }: SpanOrigin,
    resources: string[],
    kept: (index: number) => string,
  ) {
    this.#lines = lines;
    this.#spans = spans;
    this.#head = `${lines.nameOf('spans')},collector=${symbolText(collector)},bucket=`;
    this.#tail = `i,seq=${seq}i,n=`;
    this.#end = `i ${micros}\n`;
    this.#names = spans.strings.map(() => null);
    this.#systems = spans.strings.map(() => null);
    this.#destinations = spans.strings.map(() => null);
    this.#resources = resources.map((symbol) => `,resource=${symbolText(symbol)}`);
    this.#kept = kept;
    this.#loWords = new Uint32Array(spans.traceLo.buffer, spans.traceLo.byteOffset, spans.traceLo.length * 2);
    [this.#hi, this.#lo, this.#id, this.#parent] = [spans.traceHi, spans.traceLo, spans.spanId, spans.parentId].map(
      (ids) => new BigInt64Array(ids.buffer, ids.byteOffset, ids.length),
    ) as [BigInt64Array, BigInt64Array, BigInt64Array, BigInt64Array];
  }

  add(i: number): void {
    const spans = this.#spans;
    this.#turnTo(i);
    this.#lines.addText(
      'spans',
      this.#head +
        this.#bucket +
        this.#symbol(this.#names, 'name', spans.name[i]!) +
        this.#resources[spans.resource[i]!]! +
        this.#symbol(this.#systems, 'system', spans.system[i]!) +
        this.#symbol(this.#destinations, 'destination', spans.destination[i]!) +
        ' ' +
        this.#trace +
        idField('span_id', this.#id[i]!) +
        idField('parent_id', this.#parent[i]!) +
        'start_ns=' +
        spans.startNanos[i]! +
        'i,duration_ns=' +
        spans.durationNanos[i]! +
        'i,kind=' +
        spans.kind[i]! +
        'i,status=' +
        spans.status[i]! +
        'i,flags=' +
        spans.flags[i]! +
        'i,operation=' +
        spans.operation[i]! +
        this.#tail +
        i +
        this.#end,
    );
  }

  /** Spans of a trace mostly follow each other. */
  #turnTo(i: number): void {
    const before = this.#traceRow;
    this.#traceRow = i;
    if (before >= 0 && this.#lo[before] === this.#lo[i] && this.#hi[before] === this.#hi[i]) return;
    this.#bucket = (this.#loWords[2 * i]! & 0xffff).toString(16).padStart(4, '0');
    this.#trace = idField('trace_hi', this.#hi[i]!) + idField('trace_lo', this.#lo[i]!);
  }

  #symbol(texts: (string | null)[], column: string, index: number): string {
    const known = texts[index];
    if (known !== null && known !== undefined) return known;
    const text = this.#kept(index);
    const made = text === '' ? '' : `,${column}=${symbolText(text)}`;
    texts[index] = made;
    return made;
  }
}

const idField = (column: string, id: bigint): string => (id === leastLong ? '' : `${column}=${id}i,`);
