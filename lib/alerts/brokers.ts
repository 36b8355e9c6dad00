import type { Finding } from '../domain/alert.ts';
import { brokerPart, type Look, quietFinding, siteNameOf, siteOfBroker, sitePart } from './look.ts';

/** Connections to brokers of yours, as the intake tells them. */
export function brokerFindings(look: Look): Finding[] {
  const rule = look.inForce['broker-lost'];
  return look.status.brokers().map(({ name, state, sinceMs }) => {
    const site = siteOfBroker(look, name);
    const about = {
      rule: rule.id,
      subject: { kind: 'broker' as const, id: name, name },
      sinceMs: sinceMs ?? look.nowMs,
      parts: [...brokerPart(name), ...sitePart(look, site)],
    };
    if (state === 'connected') return quietFinding({ ...about, state: 'fine', usualAtMs: look.nowMs });
    // we stopped it ourselves
    if (state === 'stopped') return quietFinding({ ...about, state: 'cannot-tell' });
    return quietFinding({
      ...about,
      state: 'bad',
      severity: rule.severity,
      title: `The connection to ${name} is lost.`,
      sentence: `Nothing of what ${name}${site === '' ? '' : ` in ${siteNameOf(look, site)}`} carries is seen.`,
      wayOut: `See whether ${name} runs and can be reached from here.`,
    });
  });
}
