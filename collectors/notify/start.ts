import { systemClock } from '#lib/clock.ts';
import type { Config, Listen } from '#lib/config.ts';
import { epochMillisOf } from '#lib/domain/units.ts';
import type { State } from '#lib/state/state.ts';
import { deliverOver } from './deliver.ts';
import { guardOf } from './guard.ts';
import { type Sender, startSender } from './sender.ts';

/** Delivery as the settings say; `embedded` is where our own broker listens. */
export function startDelivery(
  config: Config,
  state: State,
  embedded: Listen | null,
  log: Parameters<typeof startSender>[0]['log'],
): Sender {
  const nowMs = () => epochMillisOf(systemClock());
  const { delivery: rules, broker } = config;
  const brokerUrl = (name: string): string | null => {
    if (embedded !== null && broker?.name === name) {
      const host = embedded.host.includes(':') ? `[${embedded.host}]` : embedded.host;
      return `mqtt://${host}:${embedded.port}`;
    }
    return config.brokers.find((each) => each.name === name)?.url ?? null;
  };
  const guard = guardOf(rules.allowPrivate);
  const deliver = deliverOver({ guard, publicUrl: rules.publicUrl, brokerUrl, nowMs });
  return startSender({ state, rules, deliver, nowMs, random: Math.random, log });
}
