import type { IConnackPacket, IPublishPacket, MqttClient } from 'mqtt';
import type { BrokerConnection } from '#lib/config.ts';
import { epochMillisOf } from '#lib/domain/units.ts';
import type { Gap } from '#lib/store/store.ts';
import type { Delivery } from '#lib/wire/mqtt-message.ts';
import type { Gather } from '../intake/gather.ts';
import type { BrokerConnectionStats } from '../intake/messages.ts';
import { oneConnection, type ProtocolVersion, refusesVersion5, withoutPassword } from './connect.ts';
import { Echo } from './echo.ts';
import { RecentPublishes } from './recent-publishes.ts';
import { SessionFile } from './session-file.ts';
import { mergeFilters } from './topic-filters.ts';
import { type PubackLine, withholdPubacks } from './withheld-puback.ts';

export interface SubscriberOptions {
  gather: Gather;
  collectorId: string;
  /** what was taken lately, before this process began */
  deliveries: readonly Delivery[];
  /** where the client id of the session is kept */
  dataDir: string;
  onGap(gap: Gap): void;
  log(level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>): void;
}

export interface Subscriber {
  stats(): BrokerConnectionStats;
  /** Disconnects; the broker keeps the session and what arrives for it. */
  stop(): Promise<void>;
}

const firstRetryMs = 250;
const retryAtMostMs = 5_000;
const rememberEveryMs = 10_000;
const sysCountersAtMost = 200;
const stopWithinMs = 2_000;
const acknowledgeWithinMs = 500;

/**
 * A subscriber that never publishes (but for echoes, where they are on). QoS 1, so that a QoS 2 message comes with a handshake
 * that the disk can be part of; PUBACK after the spool's fsync; a session that survives us, and a gap when it did not.
 */
export function startSubscriber(at: BrokerConnection, options: SubscriberOptions): Subscriber {
  const { gather, log } = options;
  const file = new SessionFile(options.dataDir, at.name, at.url);
  const { session } = file;
  const filters = mergeFilters(at.topics).map((filter) =>
    at.share === null ? filter : `$share/${at.share}/${filter}`,
  );
  const ofThisSession = options.deliveries.filter(
    ({ broker, arrivalNanos }) => broker === at.name && epochMillisOf(arrivalNanos) >= (session.beganMs ?? 0),
  );
  const recent = new RecentPublishes(ofThisSession);
  const stats: BrokerConnectionStats = {
    name: at.name,
    url: withoutPassword(at.url),
    state: 'connecting',
    sinceMs: epochMillisOf(gather.clock()),
    protocolVersion: null,
    messages: 0,
    repeats: 0,
    unacknowledged: 0,
    receiveMaximum: null,
    reconnects: 0,
    sessionsLost: 0,
    lastError: null,
    sys: {},
  };
  let client: MqttClient | null = null;
  let line: PubackLine | null = null;
  let version: ProtocolVersion = 5;
  let hungUpOnVersion5 = 0;
  let attempt = 0;
  let epoch = 0;
  let stopped = false;
  let retry: NodeJS.Timeout | null = null;

  const enter = (state: BrokerConnectionStats['state']): void => {
    stats.state = state;
    stats.sinceMs = epochMillisOf(gather.clock());
  };

  const echo = at.echo
    ? new Echo(options.collectorId, gather.clock, (topic, payload) => {
        if (client?.connected) client.publish(topic, payload, { qos: 0 });
      })
    : null;

  const remember = setInterval(() => {
    if (!client?.connected) return;
    session.lastConnectedMs = epochMillisOf(gather.clock());
    file.save();
  }, rememberEveryMs);
  remember.unref();

  /** False: no room, `again` is called when there is. */
  function take(packet: IPublishPacket, again: () => void): boolean {
    // Read no more: without a PUBACK the broker keeps it for the next run.
    if (stopped) return false;
    const { topic, qos, retain, dup, messageId } = packet;
    if (topic.startsWith('$SYS/')) {
      if (messageId !== undefined) line?.acknowledge(messageId);
      readCounter(topic, packet.payload);
      return true;
    }
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const message = { topic, payload, qos, retain, dup, messageId, properties: packet.properties };
    if (qos === 0) {
      echo?.sawTopic(topic);
      stats.messages++;
      gather.mqtt(message, at.name, '', null);
      return true;
    }
    // After a resumed session the broker repeats what it has no PUBACK for; some of it is here already.
    const before = dup ? recent.find('', messageId!, message) : null;
    if (before !== null && before !== 'taken') line?.acknowledge(messageId!);
    if (before !== null) return true;
    const of = epoch;
    const taken = gather.mqtt(message, at.name, '', () => {
      if (of !== epoch) return;
      recent.durable('', messageId!);
      line?.acknowledge(messageId!);
    });
    if (!taken) {
      gather.whenRoom(again);
      return false;
    }
    recent.taken('', messageId!, message);
    echo?.sawTopic(topic);
    stats.messages++;
    return true;
  }

  function readCounter(topic: string, payload: Buffer | string): void {
    const name = topic.slice('$SYS/'.length);
    const value = Number.parseFloat(payload.toString().slice(0, 40));
    if (!Number.isFinite(value)) return;
    if (!(name in stats.sys) && Object.keys(stats.sys).length >= sysCountersAtMost) return;
    stats.sys[name] = value;
  }

  function connect(): void {
    retry = null;
    enter('connecting');
    const one = oneConnection(at, session.clientId, version);
    client = one;
    let greeted = false;
    let closed = false;
    // Before connecting: queued messages come right behind the CONNACK, before 'connect' is told.
    line = withholdPubacks(one, take);
    one.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack' && !greeted) {
        greeted = (packet.reasonCode ?? packet.returnCode ?? 0) === 0;
        if (greeted) onConnack(packet);
      }
    });
    one.on('connect', (connack) => void onConnected(one, connack));
    one.on('error', (error) => {
      // Fatal for this connection: after some errors MQTT.js parses nothing more.
      stats.lastError = error.message;
      if (version === 5 && refusesVersion5((error as { code?: unknown }).code)) version = 4;
      one.stream?.destroy();
    });
    one.on('disconnect', (packet) => {
      stats.lastError = `the broker said goodbye with reason ${packet.reasonCode ?? 0}`;
    });
    one.on('close', () => {
      if (closed) return;
      closed = true;
      one.end(true);
      // A broker of MQTT 3.1.1 may hang up on version 5 without a word.
      if (!greeted && version === 5 && stats.lastError === null) hungUpOnVersion5++;
      if (hungUpOnVersion5 >= 2) version = 4;
      onClosed(greeted);
    });
    one.connect();
  }

  function onConnack(connack: IConnackPacket): void {
    const nowMs = epochMillisOf(gather.clock());
    if (!connack.sessionPresent) {
      epoch++;
      recent.forget();
      session.beganMs = nowMs;
      if (session.lastConnectedMs !== null) {
        stats.sessionsLost++;
        options.onGap({
          fromMs: session.lastConnectedMs,
          toMs: nowMs,
          whose: `broker ${at.name}`,
          what: 'the broker had lost our session: what it held for us is gone',
        });
        log('warn', 'a broker lost our session', { broker: at.name });
      }
    }
    session.lastConnectedMs = nowMs;
    stats.protocolVersion = version;
    stats.receiveMaximum = connack.properties?.receiveMaximum ?? null;
    stats.lastError = null;
    hungUpOnVersion5 = 0;
    attempt = 0;
    enter('connected');
  }

  async function onConnected(one: MqttClient, connack: IConnackPacket): Promise<void> {
    try {
      const gone = session.filters.filter((filter) => !filters.includes(filter));
      const added = filters.filter((filter) => !session.filters.includes(filter));
      // Never subscribed twice for nothing: it would bring all retained messages again.
      if (!connack.sessionPresent || gone.length > 0 || added.length > 0) {
        if (connack.sessionPresent && gone.length > 0) await one.unsubscribeAsync(gone);
        const granted = await one.subscribeAsync(filters, {
          qos: 1,
          // rh 1: retained messages only where the subscription is new; nl: our own echoes are no traffic.
          ...(version === 5 && { rh: 1, nl: at.share === null }),
        });
        const refused = granted.filter(({ qos }) => (qos as number) >= 128).map(({ topic }) => topic);
        if (refused.length > 0) {
          stats.lastError = `the broker refused to subscribe us to ${refused.join(', ')}`;
          log('warn', 'a broker refused a subscription', { broker: at.name, filters: refused });
        }
        session.filters = filters;
        await one.subscribeAsync('$SYS/#', { qos: 0 }).catch(() => {
          // Many brokers keep their counters to themselves.
        });
      }
      file.save();
    } catch (error) {
      stats.lastError = error instanceof Error ? error.message : String(error);
      log('warn', 'a broker did not let us subscribe', { broker: at.name, why: stats.lastError });
      one.stream?.destroy();
    }
  }

  function onClosed(wasConnected: boolean): void {
    if (wasConnected) {
      session.lastConnectedMs = epochMillisOf(gather.clock());
      file.save();
      log('info', 'the connection to a broker ended', { broker: at.name, why: stats.lastError });
    }
    if (stopped) return;
    stats.reconnects++;
    enter('waiting');
    const waitMs = Math.min(retryAtMostMs, firstRetryMs * 2 ** attempt++);
    retry = setTimeout(connect, waitMs * (0.5 + Math.random() / 2));
  }

  connect();

  return {
    stats: () => ({
      ...stats,
      repeats: recent.repeats,
      unacknowledged: line?.unacknowledged ?? 0,
      sys: { ...stats.sys },
    }),
    async stop() {
      stopped = true;
      clearInterval(remember);
      echo?.stop();
      if (retry) clearTimeout(retry);
      const one = client;
      if (one?.connected) {
        // What was taken is acknowledged before we go, or it would come again and be counted twice; one may be half read.
        const endMs = performance.now() + acknowledgeWithinMs;
        while ((line?.unacknowledged ?? 0) > 1 && performance.now() < endMs) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        session.lastConnectedMs = epochMillisOf(gather.clock());
        file.save();
        await Promise.race([
          one.endAsync(false).catch(() => {}),
          new Promise<void>((resolve) => setTimeout(resolve, stopWithinMs).unref()),
        ]);
      }
      one?.end(true);
      enter('stopped');
    },
  };
}
