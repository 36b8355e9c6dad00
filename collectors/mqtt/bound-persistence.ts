import type { Aedes } from 'aedes';

/** The parts of aedes' memory persistence that grow with what clients send. */
interface Persistence {
  outgoingEnqueueCombi(subs: { clientId: string }[], packet: unknown): Promise<void>;
  outgoingEnqueue(sub: { clientId: string }, packet: unknown): Promise<void>;
  outgoingClearMessageId(client: { id: string }, packet: unknown): Promise<unknown>;
  storeRetained(packet: { topic: string; payload: { length: number } }): Promise<void>;
}

const queuedPerClientAtMost = 1_000;
const retainedTopicsAtMost = 20_000;
const retainedBytesAtMost = 64 * 1024 ** 2;

/**
 * aedes keeps the messages for sessions that are away, and retained ones, without a bound. A session gets 1,000 (as many as
 * mosquitto's default), the retained store 20,000 topics and 64 MiB; what is above is left out and counted.
 */
export function boundPersistence(broker: Aedes): () => Record<string, number> {
  const persistence = (broker as unknown as { persistence: Persistence }).persistence;
  const { outgoingEnqueueCombi, outgoingClearMessageId, storeRetained } = persistence;
  const queued = new Map<string, number>();
  const retained = new Map<string, number>();
  let retainedBytes = 0;
  const left: Record<string, number> = {};
  const leave = (word: string): void => {
    left[word] = (left[word] ?? 0) + 1;
  };

  const admit = ({ clientId }: { clientId: string }): boolean => {
    const count = queued.get(clientId) ?? 0;
    if (count >= queuedPerClientAtMost) {
      leave('session-queue-full');
      return false;
    }
    queued.set(clientId, count + 1);
    return true;
  };
  persistence.outgoingEnqueueCombi = (subs, packet) =>
    outgoingEnqueueCombi.call(persistence, Array.from(subs).filter(admit), packet);
  persistence.outgoingClearMessageId = async (client, packet) => {
    const cleared = await outgoingClearMessageId.call(persistence, client, packet);
    const count = queued.get(client.id) ?? 0;
    if (cleared && count > 1) queued.set(client.id, count - 1);
    else if (cleared) queued.delete(client.id);
    return cleared;
  };
  persistence.storeRetained = async (packet) => {
    const before = retained.get(packet.topic) ?? 0;
    const size = packet.payload.length === 0 ? 0 : packet.payload.length + packet.topic.length;
    const full =
      (before === 0 && retained.size >= retainedTopicsAtMost) || retainedBytes - before + size > retainedBytesAtMost;
    if (size > 0 && full) return leave('retained-store-full');
    retainedBytes += size - before;
    if (size > 0) retained.set(packet.topic, size);
    else retained.delete(packet.topic);
    await storeRetained.call(persistence, packet);
  };
  return () => ({ ...left });
}
