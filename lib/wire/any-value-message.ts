import type { Attributes, AttributeValue } from '../domain/span.ts';
import { plainDouble, plainInt } from './any-value.ts';
import type { AnyValue, KeyValue } from './gen/opentelemetry/proto/common/v1/common_pb.js';
import type { WireLimits } from './limits.ts';
import { cutText } from './utf8.ts';

/** Attributes out of generated messages (metrics). Nesting was bounded when the messages were parsed. */
export function attributesOfMessages(list: KeyValue[], limits: WireLimits): Attributes {
  const attributes = Object.create(null) as Attributes;
  for (const { key, value } of list.slice(0, limits.attributesPerSpan))
    attributes[cutText(key, limits.keyBytes)] = valueOfMessage(value, limits);
  return attributes;
}

function valueOfMessage(value: AnyValue | undefined, limits: WireLimits): AttributeValue {
  const any = value?.value;
  switch (any?.case) {
    case 'stringValue':
      return cutText(any.value, limits.valueBytes);
    case 'boolValue':
      return any.value;
    case 'intValue':
      return plainInt(any.value);
    case 'doubleValue':
      return plainDouble(any.value);
    case 'arrayValue':
      return any.value.values.slice(0, limits.attributesPerSpan).map((one) => valueOfMessage(one, limits));
    case 'kvlistValue':
      return attributesOfMessages(any.value.values, limits);
    case 'bytesValue':
      return Buffer.from(any.value.subarray(0, limits.valueBytes)).toString('base64');
    default:
      return null;
  }
}
