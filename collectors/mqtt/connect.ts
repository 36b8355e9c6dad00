import { type IClientOptions, type MqttClient, connect as mqttConnect } from 'mqtt';
import type { BrokerConnection } from '#lib/config.ts';

export type ProtocolVersion = 4 | 5;

const sessionExpirySeconds = 86_400;
/** our window: how many QoS 1 messages the broker may send before we acknowledge one */
export const receiveMaximum = 1_000;
const packetBytesAtMost = 16 * 1024 ** 2;

/** The URL as people may see it. */
export const withoutPassword = (url: string): string => url.replace(/^([a-z]+:\/\/[^:@/]*).*@/s, '$1@');

/**
 * One connection with a session that outlives it. Not connected yet: handlers must be attached first, because what is queued
 * arrives right behind the CONNACK. It does not reconnect: the next connection is a new client.
 */
export function oneConnection(at: BrokerConnection, clientId: string, protocolVersion: ProtocolVersion): MqttClient {
  const url = new URL(at.url);
  const options: IClientOptions = {
    clientId,
    protocolVersion,
    clean: false,
    keepalive: 30,
    connectTimeout: 10_000,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    manualConnect: true,
    ...(url.username !== '' && {
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    }),
    ...(protocolVersion === 5 && {
      properties: {
        sessionExpiryInterval: sessionExpirySeconds,
        receiveMaximum,
        maximumPacketSize: packetBytesAtMost,
        requestProblemInformation: true,
      },
    }),
  };
  url.username = '';
  url.password = '';
  return mqttConnect(url.href, options);
}

/** A broker that speaks MQTT 3.1.1 only says so in one of these codes, or just hangs up. */
export const refusesVersion5 = (code: unknown): boolean => code === 1 || code === 132;
