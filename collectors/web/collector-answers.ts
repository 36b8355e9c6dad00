import type { ServerResponse } from 'node:http';
import { prometheusText } from '#lib/prometheus-text.ts';
import type { Intake } from '../intake/client.ts';
import { collectorMetrics, countersOf } from '../intake/counters.ts';
import type { IntakeStats } from '../intake/messages.ts';
import { sendJson } from './before-the-pages.ts';
import type { PageHandler } from './server.ts';

export interface Collecting {
  /** null = it is being started */
  intake(): Intake | null;
  /** what is waited for, in a sentence; null = nothing */
  waiting(): string | null;
  startedMs: number;
}

const whatItIs = `This Hopscope collects (--role collect): it receives, keeps and stores, and has no pages.
They are where the Hopscope with --role web listens, which shares the store.
Here: /healthz, /readyz, /metrics.
`;

/**
 * What a process that only collects says of itself. It is ready while it takes data in: a store that is away is said as a warning,
 * and must not make a balancer send nothing more to who has a spool for just that.
 */
export function collectorAnswers({ intake, waiting, startedMs }: Collecting): PageHandler {
  const look = async (): Promise<{ stats: IntakeStats | null; reasons: string[]; warnings: string[] }> => {
    const stats =
      (await intake()
        ?.stats()
        .catch(() => null)) ?? null;
    const reasons = stats === null ? ['what receives is being started'] : [stats.spoolTrouble];
    const warnings = [waiting(), stats?.storeTrouble ?? null];
    return {
      stats,
      reasons: reasons.filter((each) => each !== null),
      warnings: warnings.filter((each) => each !== null),
    };
  };
  return async (request, response) => {
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return sendJson(response, 200, { status: 'ok' });
      case '/readyz': {
        const { reasons, warnings } = await look();
        const ready = reasons.length === 0;
        return sendJson(response, ready ? 200 : 503, { ready, reasons, warnings });
      }
      case '/metrics': {
        const { stats, reasons } = await look();
        if (stats === null) return sendText(response, 503, `${reasons.join('\n')}\n`);
        const own = collectorMetrics(stats, { isReady: reasons.length === 0, startedMs, nowMs: Date.now() });
        return sendText(response, 200, prometheusText([...own, ...countersOf(stats)]), '; version=0.0.4');
      }
      case '/':
        return sendText(response, 200, whatItIs);
      default:
        return sendText(response, 404, whatItIs);
    }
  };
}

function sendText(response: ServerResponse, status: number, text: string, parameters = ''): void {
  response.writeHead(status, {
    'Content-Type': `text/plain${parameters}; charset=utf-8`,
    'Cache-Control': 'no-store',
  });
  response.end(text);
}
