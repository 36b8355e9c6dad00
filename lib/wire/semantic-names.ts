import type { Attributes, AttributeValue } from '../domain/span.ts';
import { messagingOperation } from '../domain/span.ts';

/** Older spellings of attributes and what they are called today (wire.md 1.2, 1.3; semantic conventions v1.44). */
export const currentName: Readonly<Record<string, string>> = Object.freeze(
  Object.assign(Object.create(null) as Record<string, string>, {
    'messaging.operation': 'messaging.operation.type',
    'messaging.client_id': 'messaging.client.id',
    'messaging.destination': 'messaging.destination.name',
    'messaging.source': 'messaging.destination.name',
    'messaging.source.name': 'messaging.destination.name',
    'messaging.kafka.message.offset': 'messaging.kafka.offset',
    'messaging.kafka.consumer.group': 'messaging.consumer.group.name',
    'messaging.message_id': 'messaging.message.id',
    'messaging.conversation_id': 'messaging.message.conversation_id',
    'http.method': 'http.request.method',
    'http.status_code': 'http.response.status_code',
    'http.url': 'url.full',
    'rpc.system': 'rpc.system.name',
    'db.system': 'db.system.name',
    'db.name': 'db.namespace',
    'db.statement': 'db.query.text',
    'db.operation': 'db.operation.name',
    'db.sql.table': 'db.collection.name',
    'db.mongodb.collection': 'db.collection.name',
    'db.cassandra.table': 'db.collection.name',
    'db.cosmosdb.container': 'db.collection.name',
    'net.peer.name': 'server.address',
    'net.peer.port': 'server.port',
    'deployment.environment': 'deployment.environment.name',
  }),
);

/** Renames old keys where the new one is not there as well; with both, both stay as sent. */
export function withCurrentNames(attributes: Attributes): Attributes {
  let renamed: Attributes | null = null;
  for (const key of Object.keys(attributes)) {
    const current = currentName[key];
    if (current === undefined || current in attributes) continue;
    renamed ??= Object.assign(Object.create(null) as Attributes, attributes);
    if (!(current in renamed)) {
      renamed[current] = attributes[key] as AttributeValue;
      delete renamed[key];
    }
  }
  return renamed ?? attributes;
}

/** What the readers of spans look at; everything else stays in the raw body. The number is the place in SpanColumnWriter's slots. */
export const slot = {
  messagingSystem: 0,
  operationType: 1,
  operationOld: 2,
  operationName: 3,
  destinationTemplate: 4,
  destinationName: 5,
  destinationOld: 6,
  brokerTopic: 7,
  httpRoute: 8,
  urlTemplate: 9,
  httpAny: 10,
  rpcSystem: 11,
  rpcSystemOld: 12,
  rpcService: 13,
  rpcMethod: 14,
  dbSystem: 15,
  dbSystemOld: 16,
  dbNamespace: 17,
  dbNamespaceOld: 18,
  dbCollection: 19,
  dbCollectionOld: 20,
} as const;
export const slotCount = 21;

const slotOfKey: Record<string, number> = {
  'messaging.system': slot.messagingSystem,
  'messaging.operation.type': slot.operationType,
  'messaging.operation': slot.operationOld,
  'messaging.operation.name': slot.operationName,
  'messaging.destination.template': slot.destinationTemplate,
  'messaging.destination.name': slot.destinationName,
  'messaging.destination': slot.destinationOld,
  'messaging.source': slot.destinationOld,
  'messaging.source.name': slot.destinationOld,
  // brokers that speak no messaging.*: EMQX end-to-end mode, its-client (wire.md 1.5)
  'message.topic': slot.brokerTopic,
  'iot3.core.mqtt.topic': slot.brokerTopic,
  'http.route': slot.httpRoute,
  'url.template': slot.urlTemplate,
  'rpc.system.name': slot.rpcSystem,
  'rpc.system': slot.rpcSystemOld,
  'rpc.service': slot.rpcService,
  'rpc.method': slot.rpcMethod,
  'db.system.name': slot.dbSystem,
  'db.system': slot.dbSystemOld,
  'db.namespace': slot.dbNamespace,
  'db.name': slot.dbNamespaceOld,
  'db.collection.name': slot.dbCollection,
  'db.sql.table': slot.dbCollectionOld,
  'db.mongodb.collection': slot.dbCollectionOld,
  'db.cassandra.table': slot.dbCollectionOld,
  'db.cosmosdb.container': slot.dbCollectionOld,
};

const longestKey = 32;
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
/** Candidates by length and last byte: one look tells most keys off. */
const candidates: ({ bytes: Uint8Array; slot: number }[] | undefined)[] = new Array((longestKey + 1) * 256).fill(
  undefined,
);
for (const [key, place] of Object.entries(slotOfKey)) {
  const bytes = ascii(key);
  const at = bytes.length * 256 + bytes[bytes.length - 1]!;
  candidates[at] = [...(candidates[at] ?? []), { bytes, slot: place }];
}

/** The slot of an attribute key given as bytes, -1 for the many that are not needed. */
export function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return -1;
  if (length <= longestKey) {
    const keys = candidates[length * 256 + bytes[end - 1]!];
    if (keys !== undefined) {
      next: for (let k = 0; k < keys.length; k++) {
        const key = keys[k]!.bytes;
        for (let i = length - 2; i >= 0; i--) if (bytes[start + i] !== key[i]) continue next;
        return keys[k]!.slot;
      }
    }
  }
  // any http.* makes an HTTP span
  if (
    length > 5 &&
    bytes[start] === 0x68 &&
    bytes[start + 1] === 0x74 &&
    bytes[start + 2] === 0x74 &&
    bytes[start + 3] === 0x70 &&
    bytes[start + 4] === 0x2e
  )
    return slot.httpAny;
  return -1;
}

/** Words of messaging.operation.type, of its older spelling, and of the systems themselves (messaging.operation.name). */
const operationOfWord: Record<string, number> = {
  create: messagingOperation.create,
  send: messagingOperation.send,
  publish: messagingOperation.send,
  receive: messagingOperation.receive,
  poll: messagingOperation.receive,
  process: messagingOperation.process,
  consume: messagingOperation.process,
  deliver: messagingOperation.process,
  settle: messagingOperation.settle,
  ack: messagingOperation.settle,
};

const operationWords = Object.entries(operationOfWord).map(([word, operation]) => ({ bytes: ascii(word), operation }));

export function operationOf(bytes: Uint8Array, start: number, end: number): number {
  next: for (let w = 0; w < operationWords.length; w++) {
    const word = operationWords[w]!;
    if (word.bytes.length !== end - start) continue;
    for (let i = 0; i < word.bytes.length; i++) if (bytes[start + i] !== word.bytes[i]) continue next;
    return word.operation;
  }
  return messagingOperation.none;
}
