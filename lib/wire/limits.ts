/** The bounds of what a stranger may send (reliability.md section 4). Every reader is handed one of these. */
export interface WireLimits {
  /** request body as it came over the wire */
  packedBytes: number;
  /** request body after gzip */
  unpackedBytes: number;
  /** all request bodies of one batch, unpacked: what readRaw is willing to unpack, so a batch is sealed well before (a body more than it holds is lost to replay) */
  batchBytes: number;
  spansPerRequest: number;
  attributesPerSpan: number;
  eventsPerSpan: number;
  linksPerSpan: number;
  keyBytes: number;
  valueBytes: number;
  /** messages within messages, the request itself counted */
  protobufDepth: number;
  /** arrays and objects within each other */
  jsonDepth: number;
  /** how far before its arrival a span, point or sample may lie */
  retentionMs: number;
  /** how far after its arrival it may lie: a clock that runs ahead */
  aheadMs: number;
  dataPointsPerRequest: number;
  /** of the above, how many may be of metrics other than system.*, process.*, container.*, hw.* */
  otherDataPointsPerRequest: number;
  /** Resource.attributesJson */
  resourceJsonBytes: number;
  /** distinct topics (per broker, minute and publisher) in one batch; the rest adds up under `otherTopic` */
  topicsPerBatch: number;
  topicBytes: number;
  /** MQTT payloads from this size on are not looked into */
  payloadBytes: number;
}

const dayMs = 86_400_000;

export const defaultLimits: Readonly<WireLimits> = Object.freeze({
  packedBytes: 8 * 1024 * 1024,
  unpackedBytes: 16 * 1024 * 1024,
  batchBytes: 64 * 1024 * 1024,
  spansPerRequest: 10_000,
  attributesPerSpan: 128,
  eventsPerSpan: 128,
  linksPerSpan: 128,
  keyBytes: 256,
  valueBytes: 4096,
  protobufDepth: 32,
  jsonDepth: 64,
  retentionMs: 7 * dayMs,
  aheadMs: dayMs,
  dataPointsPerRequest: 10_000,
  otherDataPointsPerRequest: 1_000,
  resourceJsonBytes: 16 * 1024,
  topicsPerBatch: 4096,
  topicBytes: 1024,
  payloadBytes: 64 * 1024,
});
