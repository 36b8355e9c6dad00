import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config, Listen } from '#lib/config.ts';
import type { HeardCollector, ListenerStatus } from '#lib/domain/collector-report.ts';
import type { StatusSource } from '#lib/views/status-source.ts';
import { type AuditSpent, auditCounters } from './audit-counters.ts';
import type { Intake } from './intake/client.ts';
import { countersOf, spoolStatusOf } from './intake/counters.ts';
import type { BoundAddresses, IntakeStats } from './intake/messages.ts';

const root = resolve(import.meta.dirname, '..');

/** What the pages ask of the running parts, at most half a second old. */
export function statusSource(
  /** null = others receive */
  intake: Intake | null,
  startedMs: number,
  reasons: Set<string>,
  config: Config,
  /** null = nobody judges here */
  spent: AuditSpent | null,
  heard: () => HeardCollector[] = () => [],
): StatusSource & { stop(): void } {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const web = config.web ? `http://${config.web.host}:${config.web.port}` : null;
  let stats: IntakeStats | null = null;
  const look = (): void => {
    intake?.stats().then(
      (fresh) => {
        stats = fresh;
      },
      () => {},
    );
  };
  look();
  const timer = setInterval(look, 500);
  return {
    version,
    startedMs,
    reasons: () => [
      ...reasons,
      ...[stats?.spoolTrouble, stats?.storeTrouble].filter((each) => typeof each === 'string'),
    ],
    listeners: () => [
      { name: 'web', address: web, state: web ? 'listening' : 'off', refused: {}, repeats: null },
      ...(intake ? intakeListeners(intake.addresses, stats) : []),
    ],
    brokers: () =>
      (stats?.brokers ?? []).map(({ name, state, sinceMs, messages, repeats, unacknowledged, sessionsLost }) => {
        return { name, state, sinceMs, messages, repeats, unacknowledged, sessionsLost };
      }),
    spool: () => spoolStatusOf(stats?.spool ?? null),
    tally: (storedSeqs) => intake?.tally(storedSeqs) ?? Promise.resolve(null),
    collectors: () => heard().filter(({ report }) => report.collectorId !== stats?.collectorId),
    counters: () => [...(stats ? countersOf(stats) : []), ...(spent ? auditCounters(spent) : [])],
    stop: () => clearInterval(timer),
  };
}

function intakeListeners(addresses: BoundAddresses, stats: IntakeStats | null): ListenerStatus[] {
  const row = (name: string, of: string, listen: Listen | null, scheme: string): ListenerStatus => {
    const counted = stats?.listeners.find((each) => each.name === of);
    return {
      name,
      address: listen ? `${scheme}://${listen.host}:${listen.port}` : null,
      state: listen ? 'listening' : 'off',
      refused: counted?.refused ?? {},
      repeats: counted?.repeats ?? null,
    };
  };
  return [
    row('OTLP/HTTP', 'otlp', addresses.otlp, 'http'),
    row('OTLP/gRPC', 'otlp-grpc', addresses.otlpGrpc, 'http'),
    row('MQTT broker', 'broker', addresses.broker, 'mqtt'),
  ];
}
