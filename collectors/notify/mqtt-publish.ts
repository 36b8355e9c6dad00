import { randomBytes } from 'node:crypto';
import { type IClientOptions, MqttClient, connect as mqttConnect } from 'mqtt';
import type { Login, Target } from '#lib/domain/delivery.ts';
import { type ProtocolVersion, refusesVersion5 } from '../mqtt/connect.ts';
import { type Guard, placeOf } from './guard.ts';
import { NotSent } from './outcome.ts';

type MqttTarget = Extract<Target, { kind: 'mqtt' }>;
type Connect = (options: IClientOptions) => Promise<MqttClient>;

export interface MqttMessage {
  key: string;
  topic: string;
  body: string;
}

/** Publishes once at QoS 1 over a connection of its own; resolves when the broker has taken it. */
export async function publish(
  target: MqttTarget,
  message: MqttMessage,
  brokerUrl: (name: string) => string | null,
  guard: Guard,
  signal: AbortSignal,
): Promise<void> {
  const connect =
    target.broker === null
      ? guarded(target.url, target.login, guard, signal)
      : ownBroker(target.broker, brokerUrl(target.broker));
  try {
    await publishAs(5, connect, message, signal);
  } catch (error) {
    if (!(error instanceof SpeaksNot5)) throw error;
    await publishAs(4, connect, message, signal);
  }
}

/** MQTT 5 first: its PUBACK says when the broker let nobody have the message. */
async function publishAs(
  protocolVersion: ProtocolVersion,
  connect: Connect,
  { key, topic, body }: MqttMessage,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const client = await connect({
    clientId: `hopscope-alerts-${randomBytes(6).toString('hex')}`,
    protocolVersion,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: 30_000,
  });
  const end = (): void => void client.end(true);
  signal.addEventListener('abort', end, { once: true });
  try {
    await new Promise<void>((done, failed) => {
      let isConnected = false;
      client.on('error', (error) => failed(refused(error, isConnected)));
      client.on('close', () =>
        failed(isConnected ? new NotSent('the broker closed the connection') : new SpeaksNot5('the broker hung up')),
      );
      client.once('connect', () => {
        isConnected = true;
        const properties = { contentType: 'application/json', userProperties: { 'idempotency-key': key } };
        client.publishAsync(topic, body, { qos: 1, ...(protocolVersion === 5 && { properties }) }).then(
          () => done(),
          (error: Error) => failed(refused(error, isConnected)),
        );
      });
    });
  } finally {
    signal.removeEventListener('abort', end);
    client.end(true);
  }
}

/** It said so, or it hung up on a CONNECT of version 5, as older brokers do. */
class SpeaksNot5 extends NotSent {}

/** The reason code of a refusal is a number [MQTT-3.2.2-8]; what a broken connection says is a word. */
function refused(error: Error, isConnected: boolean): Error {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'number') return error;
  if (!isConnected && refusesVersion5(code)) return new SpeaksNot5('the broker speaks another version of MQTT');
  return new NotSent(`the broker answered with reason code ${code}`);
}

/** A broker that hopscope.yaml names is where we are connected anyway. */
function ownBroker(name: string, url: string | null): Connect {
  if (url === null) throw new NotSent(`there is no broker ${name}`);
  const at = new URL(url);
  const login =
    at.username === '' ? null : { user: decodeURIComponent(at.username), password: decodeURIComponent(at.password) };
  at.username = '';
  at.password = '';
  return async (options) => mqttConnect(at.href, { ...options, ...loginOf(login) });
}

function guarded(url: string, login: Login | null, guard: Guard, signal: AbortSignal): Connect {
  const place = placeOf(new URL(url));
  return async (options) => {
    const socket = await guard.connect(place, signal);
    return new MqttClient(() => socket, { ...options, ...loginOf(login) });
  };
}

const loginOf = (login: Login | null): IClientOptions =>
  login === null ? {} : { username: login.user, password: login.password };
