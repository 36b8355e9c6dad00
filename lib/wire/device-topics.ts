import { z } from 'zod';

/** Our own topics, `hopscope/v1/{device}/{what}` (design.md section 4). */
export type DeviceTopic = { device: string; what: 'heartbeat' | 'status' | 'echo' | 'echo-reply' };

const root = 'hopscope/v1/';

export function deviceTopicOf(topic: string): DeviceTopic | null {
  if (!topic.startsWith(root)) return null;
  const slash = topic.indexOf('/', root.length);
  if (slash <= root.length || slash - root.length > 256) return null;
  const what = topic.slice(slash + 1);
  if (what !== 'heartbeat' && what !== 'status' && what !== 'echo' && what !== 'echo-reply') return null;
  return { device: topic.slice(root.length, slash), what };
}

export const echoTopic = (device: string): string => `${root}${device}/echo`;

/** Nanoseconds since the epoch: digits in a string, as JSON numbers end at 2^53; a number is taken with the grain it has. */
const unixNano = z
  .union([z.string().regex(/^\d{1,19}$/), z.int().positive()])
  .transform((value) => BigInt(value))
  .refine((value) => value > 0n && value < 1n << 63n);
const share = z.number().min(0).max(1).nullish();

export const heartbeat = z.object({
  v: z.literal(1),
  sentUnixNano: unixNano,
  seq: z.int().nonnegative().optional(),
  intervalMs: z.number().positive().max(86_400_000).nullish(),
  cpu: share,
  memory: share,
});

export const echoReply = z.object({ id: z.string().max(256), t1: unixNano, t2: unixNano, t3: unixNano });

/** The state in words, alone or as Zigbee2MQTT writes it. */
export function statusOf(text: string): 'online' | 'offline' | null {
  const word = /^\s*(?:\{\s*"state"\s*:\s*)?"?(online|offline)"?(?:\s*\})?\s*$/.exec(text)?.[1];
  return word === 'online' || word === 'offline' ? word : null;
}

/** The id says who asked: a broker may have several collectors, each with its own clock. */
const idPrefix = (collectorId: string): string => `${collectorId}:`;
export const isOwnEcho = (id: string, collectorId: string): boolean => id.startsWith(idPrefix(collectorId));

/** The payload of `hopscope/v1/{device}/echo`. */
export const echoPayload = (collectorId: string, seq: number, t1Nanos: bigint): string =>
  JSON.stringify({ id: `${idPrefix(collectorId)}${seq}`, t1: t1Nanos.toString() });
