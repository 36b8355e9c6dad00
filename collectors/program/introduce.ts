import type { Config, Listen } from '#lib/config.ts';
import { say } from './say.ts';

/** What a person reads who started it: where everything is. */
export function introduce(config: Config): void {
  const at = (listen: Listen | null, scheme: string): string =>
    listen ? `${scheme}://${listen.host}:${listen.port}` : 'off';
  const yours = config.brokers.map(({ name }) => `${name} (yours)`).join(', ');
  say('');
  if (config.role === 'collect')
    say(
      `  Hopscope collects   ${at(config.web, 'http')}   (/healthz, /readyz, /metrics; pages are where --role web runs)`,
    );
  else say(`  Hopscope            ${at(config.web, 'http')}`);
  if (config.role === 'web') say('  Received            by the collectors (--role collect) that share the store');
  else {
    say(`  OTLP/HTTP           ${at(config.otlp, 'http')}   (/v1/traces, /v1/metrics)`);
    say(`  OTLP/gRPC           ${at(config.otlpGrpc, 'http')}`);
    say(`  MQTT 5 broker       ${yours || at(config.broker, 'mqtt')}`);
  }
  say(`  Data                ${config.dataDir}`);
  if (config.demo)
    say(
      '  Demo fleet          26 simulated machines are talking; --no-demo, or a hopscope.yaml of your own, turns them off',
    );
  say('');
}
