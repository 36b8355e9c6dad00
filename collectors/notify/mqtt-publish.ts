import { randomBytes } from 'node:crypto';
import { type IClientOptions, MqttClient, connect as mqttConnect } from 'mqtt';
import type { Target } from '#lib/domain/delivery.ts';
import type { Guard } from './guard.ts';
import { NotSent } from './outcome.ts';

type MqttTarget = Extract<Target, { kind: 'mqtt' }>;

/** Publishes once at QoS 1 over a connection of its own; resolves when the broker has acknowledged it. */
export async function publish(
  target: MqttTarget,
  message: { key: string; body: string },
  brokerUrl: (name: string) => string | null,
  guard: Guard,
  signal: AbortSignal,
): Promise<void> {
  const client =
    target.broker === null
      ? await guarded(target.url, target.login, guard, signal)
      : ownBroker(target.broker, brokerUrl(target.broker));
  const end = (): void => void client.end(true);
  signal.addEventListener('abort', end, { once: true });
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  client.on('error', failure.reject);
  client.on('close', () =>
    failure.reject(signal.aborted ? signal.reason : new NotSent('the broker closed the connection')),
  );
  try {
    await Promise.race([new Promise((done) => client.once('connect', done)), failure.promise]);
    await Promise.race([
      client.publishAsync(target.topic, message.body, {
        qos: 1,
        properties: { contentType: 'application/json', userProperties: { 'idempotency-key': message.key } },
      }),
      failure.promise,
    ]);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw refused(error as { code?: unknown });
  } finally {
    signal.removeEventListener('abort', end);
    client.end(true);
  }
}

/** A broker that hopscope.yaml names is where we are connected anyway. */
function ownBroker(name: string, url: string | null): MqttClient {
  if (url === null) throw new NotSent(`there is no broker ${name}`);
  const at = new URL(url);
  const login =
    at.username === '' ? null : { user: decodeURIComponent(at.username), password: decodeURIComponent(at.password) };
  at.username = '';
  at.password = '';
  return mqttConnect(at.href, optionsOf(login));
}

async function guarded(url: string, login: MqttLogin, guard: Guard, signal: AbortSignal): Promise<MqttClient> {
  const to = new URL(url);
  const tls = to.protocol === 'mqtts:';
  const socket = await guard.connect(
    { host: to.hostname.replace(/^\[|\]$/g, ''), port: Number(to.port || (tls ? 8883 : 1883)), tls },
    signal,
  );
  return new MqttClient(() => socket, optionsOf(login));
}

type MqttLogin = { user: string; password: string } | null;

const optionsOf = (login: MqttLogin): IClientOptions => ({
  clientId: `hopscope-alerts-${randomBytes(6).toString('hex')}`,
  protocolVersion: 5,
  clean: true,
  reconnectPeriod: 0,
  connectTimeout: 10_000,
  ...(login && { username: login.user, password: login.password }),
});

/** The reason code of a refusal is a number [MQTT-3.2.2-8]; what a broken connection says is a word. */
const refused = (error: { code?: unknown }): unknown =>
  typeof error.code === 'number' ? new NotSent(`the broker answered with reason code ${error.code}`) : error;
