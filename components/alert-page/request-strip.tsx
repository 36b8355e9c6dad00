import type { AlertView } from '#lib/views/alert-schemas.ts';
import { KindPatternSheet, KindSwatch, kindPaint, kindWords } from '../charts/kind.tsx';
import { sharesOf } from '../trace-ledger/ledger-sums.ts';
import { TextLink } from '../ui/button.tsx';
import { Drawing } from '../ui/drawing.tsx';
import { formatLatency, formatLedger, shortId } from '../ui/format.ts';

/** a document of a phone is small */
const mostParts = 40;

/** One request that shows it, from its start to its end: where it spent its time. */
export function RequestStrip({ example }: { example: NonNullable<AlertView['example']> }) {
  const { traceId, totalMs, totalBoundMs, parts } = example;
  const scope = 'strip';
  return (
    <section aria-labelledby="example-title">
      <KindPatternSheet scope={scope} />
      <h2 id="example-title" className="flex items-baseline gap-2 text-body font-title">
        Example request
        <TextLink
          href={`/traces/${traceId}`}
          className="inline-flex min-h-6 items-center font-mono text-dense font-normal max-phone:min-h-11"
          title={traceId}
        >
          {shortId(traceId)}
        </TextLink>
        <span className="ms-auto">{formatLatency(totalMs, totalBoundMs)}</span>
      </h2>
      <div className="strip flex h-5 gap-px overflow-hidden rounded-bar" aria-hidden="true">
        {parts
          // thinner than a line of the phone
          .filter((part) => part.ms > totalMs / 400)
          .slice(0, mostParts)
          .map((part) => (
            <Drawing
              key={`${part.kind} ${part.startMs}`}
              className="block h-full w-0 min-w-0.5"
              style={{ flex: `${part.ms.toFixed(2)} 1 0` }}
            >
              <rect width="100%" height="100%" {...kindPaint(scope, part.kind)} />
            </Drawing>
          ))}
      </div>
      <ul className="legend mt-1.5 flex flex-wrap gap-x-4 gap-y-1 text-dense text-ink2">
        {sharesOf(parts).map((part) => (
          <li key={part.kind} className="inline-flex items-center gap-1.5 whitespace-nowrap">
            <KindSwatch kind={part.kind} scope={scope} />
            {kindWords[part.kind]} {formatLedger(part.ms)}
          </li>
        ))}
      </ul>
    </section>
  );
}
