import { MalformedError } from './malformed-error.ts';

/** Protobuf wire types (protobuf.dev/programming-guides/encoding). Groups are refused: nothing in OTLP uses them, and nesting them is a known bomb. */
export const wireType = { varint: 0, fixed64: 1, len: 2, fixed32: 5 } as const;

/** The tag of a field as it stands in the bytes: compare whole tags, so that a known field in a wrong wire type is noticed. */
export const tagOf = (field: number, wire: number): number => (field << 3) | wire;

/** Walks over protobuf bytes without making objects. Every read is checked against `end`, the end of the enclosing message. */
export class ProtobufCursor {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  pos = 0;

  over(bytes: Uint8Array): this {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = 0;
    return this;
  }

  tag(end: number): number {
    const tag = this.varint(end);
    if (tag < 8 || tag > 0xffffffff)
      throw malformed(`field number ${tag >>> 3}`, 'a field number from 1 to 2^29 - 1', this.pos);
    return tag | 0;
  }

  /** Any varint as a number: exact up to 2^53, a rough size above (only compared with bounds, see int64 for values). */
  varint(end: number): number {
    const bytes = this.bytes;
    let pos = this.pos;
    if (pos < end) {
      const first = bytes[pos]!;
      if (first < 0x80) {
        this.pos = pos + 1;
        return first;
      }
      if (++pos < end) {
        const second = bytes[pos]!;
        if (second < 0x80) {
          this.pos = pos + 1;
          return (first & 0x7f) | (second << 7);
        }
      }
    }
    return this.longVarint(end);
  }

  private longVarint(end: number): number {
    let value = 0;
    let scale = 1;
    for (let n = 0; n < 10; n++) {
      if (this.pos >= end) throw malformed('the end of the message', 'the rest of a varint', this.pos);
      const byte = this.bytes[this.pos++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw malformed('a varint of more than 10 bytes', 'at most 10', this.pos);
  }

  /** Reads a length and gives the position behind the field it measures. */
  len(end: number): number {
    const length = this.varint(end);
    if (length > end - this.pos)
      throw malformed(`a length of ${length}`, `at most the ${end - this.pos} bytes that are left`, this.pos);
    return this.pos + length;
  }

  fixed(size: 4 | 8, end: number): number {
    const at = this.pos;
    if (end - at < size) throw malformed(`${end - at} bytes`, `${size}`, at);
    this.pos = at + size;
    return at;
  }

  /** A varint field of type int64, with its sign. */
  int64(end: number): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.pos >= end) throw malformed('the end of the message', 'the rest of a varint', this.pos);
      const byte = this.bytes[this.pos++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw malformed('a varint of more than 10 bytes', 'at most 10', this.pos);
  }

  /** Passes over a field that is not needed. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case wireType.varint:
        this.varint(end);
        return;
      case wireType.fixed64:
        this.fixed(8, end);
        return;
      case wireType.len:
        this.pos = this.len(end);
        return;
      case wireType.fixed32:
        this.fixed(4, end);
        return;
      default:
        throw malformed(
          `wire type ${tag & 7} (field ${tag >>> 3})`,
          'varint, fixed64, length-delimited or fixed32',
          this.pos,
        );
    }
  }

  /** Passes over a field of unknown number; a known number here means a wrong wire type. */
  skipUnknown(tag: number, end: number, lastKnownField: number): void {
    if (tag >>> 3 <= lastKnownField)
      throw malformed(`field ${tag >>> 3} with wire type ${tag & 7}`, 'the wire type of that field', this.pos);
    this.skip(tag, end);
  }
}

const malformed = (found: string, wanted: string, at: number): MalformedError =>
  new MalformedError(`protobuf: found ${found}, wanted ${wanted}, at byte ${at}`);
