import type { ReactNode } from 'react';
import type { AlertsView } from '#lib/views/alert-schemas.ts';
import { formatAge, formatClock, formatDay, formatNumber, plural, unknown } from '../ui/format.ts';
import { rangeWords } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Spark } from '../ui/spark.tsx';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

type Step = AlertsView['times']['steps'][number];

const dayMs = 86_400_000;
const age = (ms: number | null): string => (ms === null ? unknown : formatAge(ms));

/** How many fired, how fast they were noticed and over: in all, and over time. */
export function AlertTimes({ view }: { view: AlertsView }) {
  const { times, range } = view;
  const fromMs = times.steps[0]?.timeMs ?? range.fromMs;
  const spark = (of: (step: Step) => number | null) => (
    <Spark
      range={[0, Math.max(1, ...times.steps.map((step) => of(step) ?? 0))]}
      spark={{ fromMs, stepMs: times.stepMs, values: times.steps.map(of) }}
      width={120}
      height={24}
      className="max-w-30"
    />
  );
  const told = times.steps.filter((step) => step.fired > 0);
  return (
    <Panel
      id="times"
      title="How fast"
      note={`alerts that fired: ${rangeWords(range)}; lines from 0 to their most, a step is ${formatAge(times.stepMs)}`}
    >
      <dl className="flex flex-wrap gap-x-10 gap-y-3">
        <Figure name="fired" value={formatNumber(times.fired)}>
          {spark((step) => step.fired)}
        </Figure>
        <Figure
          name="mean time to detection"
          value={age(times.detectedAfterMs)}
          why={times.fired === 0 ? 'nothing fired' : undefined}
        >
          {spark((step) => step.detectedAfterMs)}
        </Figure>
        <Figure
          name={`mean time to recovery, of ${formatNumber(times.resolved)}`}
          value={age(times.recoveredAfterMs)}
          why={times.resolved === 0 ? 'none is over' : undefined}
        >
          {spark((step) => step.recoveredAfterMs)}
        </Figure>
      </dl>
      {told.length > 0 && (
        <details className="mt-3">
          <summary className="inline-flex min-h-6 items-center text-dense text-acc hover:underline max-phone:min-h-11">
            Table: {plural(told.length, 'step')} with alerts
          </summary>
          <Table caption="Alerts that fired, step by step, newest first">
            <thead>
              <tr>
                <Th>From, UTC</Th>
                <Th numeric>Fired</Th>
                <Th numeric>Over</Th>
                <Th numeric>To detection</Th>
                <Th numeric>To recovery</Th>
              </tr>
            </thead>
            <tbody>
              {told.toReversed().map((step) => (
                <Tr key={step.timeMs}>
                  <RowHead>
                    <time dateTime={new Date(step.timeMs).toISOString()}>
                      {formatDay(step.timeMs)} {times.stepMs < dayMs && formatClock(step.timeMs)}
                    </time>
                  </RowHead>
                  <Td numeric>{formatNumber(step.fired)}</Td>
                  <Td numeric>{formatNumber(step.resolved)}</Td>
                  <Td numeric>{age(step.detectedAfterMs)}</Td>
                  <Td numeric>{age(step.recoveredAfterMs)}</Td>
                </Tr>
              ))}
            </tbody>
          </Table>
        </details>
      )}
    </Panel>
  );
}

function Figure({
  name,
  value,
  why,
  children,
}: {
  name: string;
  value: string;
  why?: string | undefined;
  children: ReactNode;
}) {
  return (
    <div className="flex flex-col-reverse">
      <dt className="text-dense text-ink3">{name}</dt>
      <dd className="flex items-center gap-3">
        <span className="text-title font-title whitespace-nowrap" title={why}>
          {value}
        </span>
        {children}
      </dd>
    </div>
  );
}
