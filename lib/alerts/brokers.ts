import type { Finding } from '../domain/alert.ts';
import { capital } from '../domain/alert-words.ts';
import type { BrokerStatus } from '../domain/collector-report.ts';
import { spokenCollector } from '../domain/collector-words.ts';
import { brokerPart, type Look, quietFinding, siteNameOf, siteOfBroker, sitePart } from './look.ts';

/** One connection to a broker of yours. `whose`: a collector in another process; '' = this one. */
interface Connection extends Pick<BrokerStatus, 'name' | 'state' | 'sinceMs'> {
  whose: string;
}

/** Connections to brokers of yours, as the intake here and the collectors elsewhere tell them. Several may share one broker. */
export function brokerFindings(look: Look): Finding[] {
  const byBroker = Map.groupBy(connectionsOf(look), ({ name }) => name);
  return [...byBroker].map(([name, connections]) => brokerFinding(look, name, connections));
}

/** Of a collector that is not heard nobody knows: its silence is told by itself. */
const connectionsOf = ({ status }: Look): Connection[] => [
  ...status.brokers().map((broker) => ({ ...broker, whose: '' })),
  ...status.collectors().flatMap(({ report, state }) =>
    report.brokers.map((broker) => ({
      ...broker,
      whose: spokenCollector(report),
      state: state === 'receiving' ? broker.state : 'stopped',
    })),
  ),
];

function brokerFinding(look: Look, name: string, connections: readonly Connection[]): Finding {
  const rule = look.inForce['broker-lost'];
  const site = siteOfBroker(look, name);
  const [first] = connections as [Connection];
  const about = {
    rule: rule.id,
    subject: { kind: 'broker' as const, id: name, name },
    sinceMs: first.sinceMs ?? look.nowMs,
    parts: [...brokerPart(name), ...sitePart(look, site)],
  };
  // we stopped it ourselves
  const wanted = connections.filter(({ state }) => state !== 'stopped');
  if (wanted.length === 0) return quietFinding({ ...about, state: 'cannot-tell' });
  const lost = wanted.filter(({ state }) => state !== 'connected');
  if (lost.length === 0) return quietFinding({ ...about, state: 'fine', usualAtMs: look.nowMs });
  const bad = {
    ...about,
    state: 'bad' as const,
    severity: rule.severity,
    sinceMs: Math.min(...lost.map(({ sinceMs }) => sinceMs ?? look.nowMs)),
  };
  const where = site === '' ? '' : ` in ${siteNameOf(look, site)}`;
  if (lost.length === wanted.length)
    return quietFinding({
      ...bad,
      title: `The connection to ${name} is lost.`,
      sentence: `Nothing of what ${name}${where} carries is seen.`,
      wayOut: `See whether ${name} runs and can be reached from here.`,
    });
  const who = lost.map(({ whose }) => (whose === '' ? 'this process' : whose)).join(', ');
  return quietFinding({
    ...bad,
    title: `${lost.length} of ${wanted.length} connections to ${name} ${lost.length === 1 ? 'is' : 'are'} lost.`,
    sentence: `${capital(who)} ${lost.length === 1 ? 'sees' : 'see'} nothing of what ${name}${where} carries; others do.`,
    wayOut: `See whether ${name} can be reached from there.`,
  });
}
