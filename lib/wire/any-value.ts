import type { Attributes, AttributeValue } from '../domain/span.ts';
import { isRecord, jsonBigInt, jsonList, jsonNumber, jsonRecord, jsonString } from './json-check.ts';
import type { WireLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import type { ProtobufCursor } from './protobuf-cursor.ts';
import { cutEnd, cutText, isLongerThan, textOf } from './utf8.ts';

/** Named in the attributes themselves: the keys whose value (or the key itself) was longer than the limit and was cut. */
export const cutKey = 'hopscope.cut';

/** Fields of opentelemetry.proto.common.v1.AnyValue, as whole tags. */
export const anyTag = {
  string: 0x0a,
  bool: 0x10,
  int: 0x18,
  double: 0x21,
  array: 0x2a,
  kvlist: 0x32,
  bytes: 0x3a,
} as const;
const lastAnyField = 7;
const keyTag = 0x0a;
const valueTag = 0x12;

/** Collects attributes under the limits of one owner (a span, an event, a resource). */
export class AttributeSink {
  readonly attributes: Attributes = Object.create(null) as Attributes;
  private readonly limits: WireLimits;
  private seen = 0;
  private cutKeys: string[] = [];
  private cutHere = false;
  /** bytes the present value may still take, lists and maps all told */
  private left = 0;

  constructor(limits: WireLimits) {
    this.limits = limits;
  }

  /** One KeyValue message in protobuf. */
  addProtobuf(cursor: ProtobufCursor, end: number, depth: number): void {
    let keyStart = 0;
    let keyEnd = 0;
    let value: AttributeValue = null;
    this.begin();
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === keyTag) {
        keyEnd = cursor.len(end);
        keyStart = cursor.pos;
        cursor.pos = keyEnd;
      } else if (tag === valueTag) {
        value = this.protobufValue(cursor, cursor.len(end), depth + 1, value);
      } else cursor.skipUnknown(tag, end, 2);
    }
    const cut = cutEnd(cursor.bytes, keyStart, keyEnd, this.limits.keyBytes);
    if (cut !== keyEnd) this.cutHere = true;
    this.put(textOf(cursor.bytes, keyStart, cut), value);
  }

  /** The `attributes` list of a JSON message. */
  addJsonList(list: unknown, what: string, depth: number): void {
    for (const entry of jsonList(list, what)) {
      const { key, value } = jsonRecord(entry, what);
      this.begin();
      this.put(this.jsonKey(key, what), this.jsonValue(value, what, depth + 1));
    }
  }

  finish(): Attributes {
    const more = this.seen - this.limits.attributesPerSpan;
    if (more > 0) this.cutKeys.push(`(${more} more attributes)`);
    if (this.cutKeys.length > 0) this.attributes[cutKey] = this.cutKeys;
    return this.attributes;
  }

  private begin(): void {
    this.cutHere = false;
    this.left = this.limits.valueBytes;
  }

  private put(key: string, value: AttributeValue): void {
    if (++this.seen > this.limits.attributesPerSpan) return;
    this.attributes[key] = value;
    if (this.cutHere && !this.cutKeys.includes(key)) this.cutKeys.push(key);
  }

  private protobufValue(cursor: ProtobufCursor, end: number, depth: number, before: AttributeValue): AttributeValue {
    checkDepth(depth, this.limits.protobufDepth, 'protobuf');
    let value = before;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      switch (tag) {
        case anyTag.string: {
          const stop = cursor.len(end);
          const cut = cutEnd(cursor.bytes, cursor.pos, stop, this.left);
          this.spend(stop - cursor.pos);
          value = textOf(cursor.bytes, cursor.pos, cut);
          cursor.pos = stop;
          break;
        }
        case anyTag.bool:
          value = cursor.varint(end) !== 0;
          break;
        case anyTag.int:
          value = plainInt(cursor.int64(end));
          break;
        case anyTag.double:
          value = plainDouble(cursor.view.getFloat64(cursor.fixed(8, end), true));
          break;
        case anyTag.array: {
          const stop = cursor.len(end);
          const list: AttributeValue[] = Array.isArray(value) ? value : [];
          while (cursor.pos < stop) {
            const inner = cursor.tag(stop);
            if (inner === keyTag) {
              const element = cursor.len(stop);
              if (this.spend(1)) list.push(this.protobufValue(cursor, element, depth + 2, null));
              else cursor.pos = element;
            } else cursor.skipUnknown(inner, stop, 1);
          }
          value = list;
          break;
        }
        case anyTag.kvlist: {
          const stop = cursor.len(end);
          const map = isRecord(value) && !Array.isArray(value) ? value : (Object.create(null) as Attributes);
          while (cursor.pos < stop) {
            const inner = cursor.tag(stop);
            if (inner === keyTag) {
              const element = cursor.len(stop);
              if (this.spend(1)) this.protobufEntry(cursor, element, depth + 2, map as Attributes);
              else cursor.pos = element;
            } else cursor.skipUnknown(inner, stop, 1);
          }
          value = map as Attributes;
          break;
        }
        case anyTag.bytes: {
          const stop = cursor.len(end);
          value = this.base64(cursor.bytes.subarray(cursor.pos, stop));
          cursor.pos = stop;
          break;
        }
        default:
          cursor.skipUnknown(tag, end, lastAnyField);
      }
    }
    return value;
  }

  private protobufEntry(cursor: ProtobufCursor, end: number, depth: number, map: Attributes): void {
    let key = '';
    let value: AttributeValue = null;
    checkDepth(depth, this.limits.protobufDepth, 'protobuf');
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === keyTag) {
        const stop = cursor.len(end);
        const cut = cutEnd(cursor.bytes, cursor.pos, stop, this.limits.keyBytes);
        if (cut !== stop) this.cutHere = true;
        this.spend(cut - cursor.pos);
        key = textOf(cursor.bytes, cursor.pos, cut);
        cursor.pos = stop;
      } else if (tag === valueTag) value = this.protobufValue(cursor, cursor.len(end), depth + 1, value);
      else cursor.skipUnknown(tag, end, 2);
    }
    map[key] = value;
  }

  /** depth counts as in protobuf, so that both encodings of a value are refused alike */
  private jsonValue(value: unknown, what: string, depth: number): AttributeValue {
    checkDepth(depth, this.limits.protobufDepth, 'json');
    if (value === undefined || value === null) return null;
    const any = jsonRecord(value, what);
    if (any.stringValue != null) {
      const text = jsonString(any.stringValue, `${what}.stringValue`);
      const most = this.left;
      this.spend(Buffer.byteLength(text));
      return cutText(text, most);
    }
    if (any.boolValue != null) {
      if (typeof any.boolValue !== 'boolean')
        throw new MalformedError(`json: found a ${typeof any.boolValue}, wanted true or false in ${what}.boolValue`);
      return any.boolValue;
    }
    if (any.intValue != null) return plainInt(jsonBigInt(any.intValue, `${what}.intValue`));
    if (any.doubleValue != null) return plainDouble(jsonNumber(any.doubleValue, `${what}.doubleValue`));
    if (any.arrayValue != null) {
      const list: AttributeValue[] = [];
      for (const element of jsonList(
        jsonRecord(any.arrayValue, `${what}.arrayValue`).values,
        `${what}.arrayValue.values`,
      )) {
        if (!this.spend(1)) break;
        list.push(this.jsonValue(element, what, depth + 2));
      }
      return list;
    }
    if (any.kvlistValue != null) {
      const map = Object.create(null) as Attributes;
      for (const element of jsonList(
        jsonRecord(any.kvlistValue, `${what}.kvlistValue`).values,
        `${what}.kvlistValue.values`,
      )) {
        if (!this.spend(1)) break;
        const entry = jsonRecord(element, `${what}.kvlistValue.values`);
        const key = this.jsonKey(entry.key, what);
        this.spend(Buffer.byteLength(key));
        map[key] = this.jsonValue(entry.value, what, depth + 3);
      }
      return map;
    }
    if (any.bytesValue != null)
      return this.base64(Buffer.from(jsonString(any.bytesValue, `${what}.bytesValue`), 'base64'));
    return null;
  }

  /** For the hot path: checks an AnyValue as if it were wanted. */
  checkJson(value: unknown, what: string, depth: number): void {
    this.begin();
    this.jsonValue(value, what, depth);
  }

  private jsonKey(value: unknown, what: string): string {
    const key = jsonString(value, `${what}.key`);
    if (isLongerThan(key, this.limits.keyBytes)) this.cutHere = true;
    return cutText(key, this.limits.keyBytes);
  }

  /** Takes bytes from what the present value may have; false (and flagged) when they are more than is left. */
  private spend(bytes: number): boolean {
    if (bytes > this.left) {
      this.cutHere = true;
      this.left = 0;
      return false;
    }
    this.left -= bytes;
    return true;
  }

  private base64(bytes: Uint8Array): string {
    const most = this.left;
    this.spend(bytes.length);
    return Buffer.from(bytes.subarray(0, most)).toString('base64');
  }
}

/** Walks an AnyValue without making anything of it: what is accepted must be whole, or a drill-down would meet the damage later. */
export function checkAnyValue(cursor: ProtobufCursor, end: number, depth: number, maxDepth: number): void {
  checkDepth(depth, maxDepth, 'protobuf');
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    switch (tag) {
      case anyTag.string:
      case anyTag.bytes:
        cursor.pos = cursor.len(end);
        break;
      case anyTag.bool:
      case anyTag.int:
        cursor.varint(end);
        break;
      case anyTag.double:
        cursor.fixed(8, end);
        break;
      case anyTag.array: {
        const stop = cursor.len(end);
        while (cursor.pos < stop) {
          const inner = cursor.tag(stop);
          if (inner === keyTag) checkAnyValue(cursor, cursor.len(stop), depth + 2, maxDepth);
          else cursor.skipUnknown(inner, stop, 1);
        }
        break;
      }
      case anyTag.kvlist: {
        const stop = cursor.len(end);
        while (cursor.pos < stop) {
          const inner = cursor.tag(stop);
          if (inner === keyTag) checkKeyValue(cursor, cursor.len(stop), depth + 2, maxDepth);
          else cursor.skipUnknown(inner, stop, 1);
        }
        break;
      }
      default:
        cursor.skipUnknown(tag, end, lastAnyField);
    }
  }
}

export function checkKeyValue(cursor: ProtobufCursor, end: number, depth: number, maxDepth: number): void {
  checkDepth(depth, maxDepth, 'protobuf');
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag === keyTag) cursor.pos = cursor.len(end);
    else if (tag === valueTag) checkAnyValue(cursor, cursor.len(end), depth + 1, maxDepth);
    else cursor.skipUnknown(tag, end, 2);
  }
}

function checkDepth(depth: number, most: number, of: string): void {
  if (depth > most) throw new MalformedError(`${of}: found messages nested deeper than ${most}, wanted at most that`);
}

/** JavaScript numbers hold integers to 2^53; beyond it the digits are kept as text. */
export const plainInt = (value: bigint): number | string =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();

/** JSON has no word for these three. */
export const plainDouble = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
