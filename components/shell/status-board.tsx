import type { StatusView } from '#lib/views/schemas.ts';
import { Empty } from '../ui/empty.tsx';
import { formatAbsolute, formatAge, formatBytes, formatNumber, plural } from '../ui/format.ts';
import { PageTitle } from '../ui/page-title.tsx';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictBadge } from '../verdict-badge/verdict-mark.tsx';
import {
  CollectorName,
  CollectorsPanel,
  collectorNote,
  collectorsInTrouble,
  isSpread,
  Whose,
} from './status-collectors.tsx';

/** Is the product itself well, and is everything it received accounted for? */
export function StatusBoard({ view, nowMs }: { view: StatusView; nowMs: number }) {
  const { books } = view;
  const balanced = books.residual === 0;
  const spread = isSpread(view);
  const trouble = collectorsInTrouble(view);
  // where each process has some, what is switched off in one is no news
  const listeners = view.listeners.filter(({ address }) => !spread || address !== null);
  const embedded = view.listeners.find((listener) => listener.name.includes('broker') && listener.address !== null);
  const reasons = Object.entries(books.rejectedByReason).toSorted((a, b) => b[1] - a[1]);
  return (
    <>
      <PageTitle
        title="Status"
        beside={<VerdictBadge mark={view.ready ? 'ok' : 'over'} word={view.ready ? 'ready' : 'not ready'} />}
        sentence={
          view.ready ? (
            <>
              {trouble !== '' && <strong className="font-strong text-over">{trouble}. </strong>}
              <strong className="font-strong text-ink">
                {balanced
                  ? 'Everything received is accounted for.'
                  : `${formatNumber(Math.abs(books.residual))} items are on their way between two counters.`}
              </strong>{' '}
              Running for {formatAge(nowMs - Date.parse(view.startedAt))}, version {view.version}
              {view.demo && ', with the demo fleet'}.
            </>
          ) : (
            <strong className="font-strong text-ink">{view.reasons.join('. ')}.</strong>
          )
        }
      />
      <div className="grid grid-cols-1 gap-2.5 p-4 pt-0 desk:grid-cols-2">
        <Panel id="books" title="The books" note="since this store was made" className="desk:col-span-2">
          <ul className="flex flex-wrap items-end gap-x-4 gap-y-3">
            <Entry name="received" value={books.received} />
            <Entry sign="=" name="stored" value={books.stored} />
            <Entry sign="+" name="duplicate" value={books.duplicate} />
            <Entry sign="+" name="rejected" value={books.rejected} />
            <Entry sign="+" name="spooled" value={books.spooled} />
            <Entry
              sign="+"
              name={balanced ? 'residual: the books balance' : 'residual: counted, not yet booked'}
              value={books.residual}
              pale={balanced}
            />
          </ul>
          {!balanced && (
            <p className="mt-3 max-w-[80ch] text-dense text-ink2">
              A residual of a moment is work in progress. One that stays means items were lost or counted twice: please
              report it with the log.
            </p>
          )}
          {view.collectors.length > 0 && (
            <div className="mt-3 border-t border-line">
              <Table caption="The books by collector">
                <thead>
                  <tr>
                    <Th>Collector</Th>
                    <Th numeric>Received</Th>
                    <Th numeric>Stored</Th>
                    <Th numeric>Duplicate</Th>
                    <Th numeric>Rejected</Th>
                    <Th numeric>Spooled</Th>
                    <Th numeric>Lag</Th>
                    <Th numeric>Residual</Th>
                  </tr>
                </thead>
                <tbody>
                  {view.collectors.map((collector) => (
                    <Tr key={collector.id}>
                      <RowHead>
                        <CollectorName collector={collector} />{' '}
                        <span className="font-normal text-ink3">{collectorNote(collector, nowMs)}</span>
                      </RowHead>
                      <Td numeric>{formatNumber(collector.received)}</Td>
                      <Td numeric>{formatNumber(collector.stored)}</Td>
                      <Td numeric>{formatNumber(collector.duplicate)}</Td>
                      <Td numeric>{formatNumber(collector.rejected)}</Td>
                      <Td numeric>{formatNumber(collector.spooled)}</Td>
                      <Td numeric>{collector.spooled === 0 ? 'none' : formatAge(collector.lagMs)}</Td>
                      <Td numeric>{collector.residual === null ? 'cannot tell' : formatNumber(collector.residual)}</Td>
                    </Tr>
                  ))}
                </tbody>
              </Table>
              <p className="mt-2 max-w-[80ch] text-dense text-ink3">
                Each figure is counted where it happens: received at the door before it is acknowledged, stored,
                duplicate and rejected by the store, spooled by the spool.
                {spread && ' Those of a collector elsewhere are of the moment when it was last heard.'}
              </p>
            </div>
          )}
          {reasons.length > 0 && (
            <div className="mt-3 border-t border-line pt-2">
              <h3 className="text-dense text-ink3">Rejected, and why</h3>
              <ul className="mt-1 flex flex-wrap gap-x-6 gap-y-1">
                {reasons.map(([reason, count]) => (
                  <li key={reason}>
                    <span className="font-strong">{formatNumber(count)}</span>{' '}
                    <span className="text-ink2">{reason}</span>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </Panel>
        {spread && <CollectorsPanel view={view} nowMs={nowMs} />}
        <Panel id="listeners" title="Listeners" flush className={spread ? 'desk:col-span-2' : ''}>
          {view.listeners.length === 0 ? (
            <Empty why="No listener is switched on, or you may not see them." />
          ) : (
            <Table caption="Listeners">
              <thead>
                <tr>
                  <Th>Name</Th>
                  {spread && <Th>Collector</Th>}
                  <Th>Address</Th>
                  <Th>State</Th>
                  <Th>Turned away since the start</Th>
                </tr>
              </thead>
              <tbody>
                {listeners.map((listener) => (
                  <Tr key={`${listener.collector} ${listener.name}`}>
                    <RowHead className="whitespace-nowrap">{listener.name}</RowHead>
                    {spread && (
                      <Td>
                        <Whose id={listener.collector} collectors={view.collectors} />
                      </Td>
                    )}
                    <Td className="font-mono text-ink2">{listener.address ?? 'off'}</Td>
                    <Td>{listener.state}</Td>
                    <Td className="text-ink2">{turnedAway(listener)}</Td>
                  </Tr>
                ))}
              </tbody>
            </Table>
          )}
        </Panel>
        <Panel id="brokers" title="Brokers" flush className={spread ? 'desk:col-span-2' : ''}>
          {view.brokers.length === 0 ? (
            <Empty
              why={
                embedded
                  ? `No broker of yours is named; clients may use the embedded one at ${embedded.address}.`
                  : 'No broker is connected.'
              }
            >
              Name yours in hopscope.yaml under <code className="font-mono">brokers</code>.
            </Empty>
          ) : (
            <Table caption="Brokers">
              <thead>
                <tr>
                  <Th>Name</Th>
                  {spread && <Th>Collector</Th>}
                  <Th>State</Th>
                  <Th numeric>Since</Th>
                  <Th numeric>Messages</Th>
                  <Th numeric>Repeats</Th>
                  <Th numeric>Not acknowledged</Th>
                  <Th numeric>Sessions lost</Th>
                </tr>
              </thead>
              <tbody>
                {view.brokers.map((broker) => (
                  <Tr key={`${broker.collector} ${broker.name}`}>
                    <RowHead className="font-mono whitespace-nowrap">{broker.name}</RowHead>
                    {spread && (
                      <Td>
                        <Whose id={broker.collector} collectors={view.collectors} />
                      </Td>
                    )}
                    <Td>{broker.state}</Td>
                    <Td numeric className="text-ink2">
                      {broker.since === null ? 'never' : <RelativeTime at={broker.since} nowMs={nowMs} />}
                    </Td>
                    <Td numeric>{formatNumber(broker.messages)}</Td>
                    <Td numeric>{formatNumber(broker.repeats)}</Td>
                    <Td numeric>{formatNumber(broker.unacknowledged)}</Td>
                    <Td numeric>{formatNumber(broker.sessionsLost)}</Td>
                  </Tr>
                ))}
              </tbody>
            </Table>
          )}
        </Panel>
        <Panel id="spool" title="Spool" note="acknowledged, not yet in the store">
          <p>
            <span className="font-strong">
              {view.spool.items === 0 ? 'Nothing waits' : `${plural(view.spool.items, 'item')} waiting`}
            </span>
            {view.spool.items === 0 && ': all that was acknowledged is in the store'}.
          </p>
          {view.spool.bytes > 0 && (
            <p className="mt-1 text-ink2">
              {formatBytes(view.spool.bytes)} kept for a replay
              {view.spool.oldest !== null && (
                <>
                  , the oldest from <RelativeTime at={view.spool.oldest} nowMs={nowMs} />
                </>
              )}
              .
            </p>
          )}
          {view.spool.diskFreeBytes !== null && view.spool.refuseBelowBytes !== null && (
            <p className="mt-1 text-ink2">
              {spread ? 'The fullest disk' : 'The disk'} has {formatBytes(view.spool.diskFreeBytes)} left; below{' '}
              {formatBytes(view.spool.refuseBelowBytes)} nothing more is accepted.
            </p>
          )}
        </Panel>
        <Panel id="store" title="Store" note={view.store.engine}>
          <p>
            <span className="font-strong">{plural(view.store.spans, 'span')}</span>,{' '}
            {formatBytes(view.store.bytesOnDisk)} on disk
          </p>
          {view.store.location !== '' && (
            <p className="mt-1 font-mono text-dense wrap-anywhere text-ink2">{view.store.location}</p>
          )}
          {view.store.warnings.map((warning) => (
            <p key={warning} role="alert" className="mt-2 wrap-anywhere">
              {warning}.
            </p>
          ))}
        </Panel>
        <Panel id="gaps" title="Gaps" note="last 7 days" flush className="desk:col-span-2">
          {view.gaps.length === 0 ? (
            <Empty why="None: nothing that was acknowledged is missing." />
          ) : (
            <Table caption="Stretches of time for which something is missing">
              <thead>
                <tr>
                  <Th>From</Th>
                  <Th>To</Th>
                  <Th>Whose</Th>
                  <Th>What</Th>
                </tr>
              </thead>
              <tbody>
                {view.gaps.map((gap) => (
                  <Tr key={`${gap.from} ${gap.whose} ${gap.what}`}>
                    <RowHead className="whitespace-nowrap">{formatAbsolute(Date.parse(gap.from))}</RowHead>
                    <Td className="whitespace-nowrap">
                      {formatAbsolute(Date.parse(gap.to))}{' '}
                      <span className="text-ink3">{formatAge(Date.parse(gap.to) - Date.parse(gap.from))}</span>
                    </Td>
                    <Td className="font-mono">{gap.whose}</Td>
                    <Td className="text-ink2">{gap.what}</Td>
                  </Tr>
                ))}
              </tbody>
            </Table>
          )}
        </Panel>
      </div>
    </>
  );
}

function turnedAway({ refused, repeats }: StatusView['listeners'][number]): string {
  const words = Object.entries(refused).map(([reason, count]) => `${formatNumber(count)} ${reason}`);
  if (repeats) words.push(`${plural(repeats, 'repeat')} recognised`);
  return words.join(', ') || 'nothing';
}

function Entry({ sign, name, value, pale = false }: { sign?: '=' | '+'; name: string; value: number; pale?: boolean }) {
  return (
    <li className="flex gap-4">
      {sign && <span className="text-title text-ink3">{sign}</span>}
      <span>
        <span className={`block text-title font-title ${pale ? 'text-ink3' : ''}`}>{formatNumber(value)}</span>
        <span className="block text-dense text-ink3">{name}</span>
      </span>
    </li>
  );
}
