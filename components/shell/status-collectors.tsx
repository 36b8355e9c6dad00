import type { Mark, StatusView } from '#lib/views/schemas.ts';
import { formatAge, formatBytes, plural, unknown } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictLabel } from '../verdict-badge/verdict-mark.tsx';

type Collector = StatusView['collectors'][number];

/** Whether any collector is a process of its own: then whose it is stands beside each listener and broker. */
export const isSpread = ({ collectors }: Pick<StatusView, 'collectors'>): boolean =>
  collectors.some(({ host }) => host !== null);

/** By its host people know it, by its id the books do. */
export function CollectorName({ collector }: { collector: Pick<Collector, 'id' | 'host'> }) {
  return (
    <span className="whitespace-nowrap">
      {collector.host !== null && collector.host !== '' && <>{collector.host} </>}
      <span className={collector.host ? 'font-mono text-ink3' : 'font-mono'}>{collector.id.slice(0, 8)}</span>
    </span>
  );
}

/** Whose a listener or a broker is; the process that shows this page has no id. */
export function Whose({ id, collectors }: { id: string | null; collectors: readonly Collector[] }) {
  if (id === null) return <span className="whitespace-nowrap text-ink3">this process</span>;
  return <CollectorName collector={collectors.find((collector) => collector.id === id) ?? { id, host: '' }} />;
}

/** What its figures are worth: those of one that is not heard any more are of the moment when it was. */
export function collectorNote({ state, heard }: Pick<Collector, 'state' | 'heard'>, nowMs: number): string {
  const ago = heard === null ? '' : formatAge(nowMs - Date.parse(heard));
  switch (state) {
    case 'receiving':
      return 'receives now';
    case 'silent':
      return `silent for ${ago}: figures of its last word`;
    case 'stopped':
      return `stopped ${ago} ago`;
    case 'unsure':
      return 'not heard yet since this page’s process began to listen';
    case 'former':
      return 'its spool was replaced: told by the store alone';
  }
}

const states: Record<Collector['state'], { mark: Mark; word: string }> = {
  receiving: { mark: 'ok', word: 'receiving' },
  silent: { mark: 'over', word: 'silent' },
  stopped: { mark: 'no-data', word: 'stopped' },
  unsure: { mark: 'cannot-tell', word: 'not heard yet' },
  former: { mark: 'no-data', word: 'replaced' },
};

const stateOf = ({ state, reasons }: Collector): { mark: Mark; word: string } =>
  state === 'receiving' && reasons.length > 0 ? { mark: 'over', word: 'not ready' } : states[state];

/** "1 of 3 collectors is silent, 1 is not ready": what the head of the page must not leave out. */
export function collectorsInTrouble({ collectors }: StatusView): string {
  const known = collectors.filter(({ state }) => state !== 'former');
  const found = (['silent', 'not ready'] as const).flatMap((word) => {
    const count = known.filter((collector) => collector.host !== null && stateOf(collector).word === word).length;
    if (count === 0) return [];
    return { count, words: `${count === 1 ? 'is' : 'are'} ${word}` };
  });
  return found
    .map(({ count, words }, i) => `${count} ${i === 0 ? `of ${plural(known.length, 'collector')} ` : ''}${words}`)
    .join(', ');
}

/** Who receives, where, and how each is. What is wrong with one comes first, in words. */
export function CollectorsPanel({ view, nowMs }: { view: StatusView; nowMs: number }) {
  const shown = view.collectors.filter(({ state }) => state !== 'former');
  return (
    <Panel id="collectors" title="Collectors" note="what each said last" flush className="desk:col-span-2">
      {view.warnings.length > 0 && (
        <ul className="border-b border-line px-3.5 py-2.5">
          {view.warnings.map((warning) => (
            <li key={warning} role="alert" className="wrap-anywhere">
              {warning.charAt(0).toUpperCase() + warning.slice(1)}.
            </li>
          ))}
        </ul>
      )}
      <Table caption="Collectors">
        <thead>
          <tr>
            <Th>Collector</Th>
            <Th>State</Th>
            <Th>Version</Th>
            <Th numeric>Last heard</Th>
            <Th numeric>Running for</Th>
            <Th numeric>Spool</Th>
            <Th numeric>Disk left</Th>
          </tr>
        </thead>
        <tbody>
          {shown.map((collector) => (
            <Tr key={collector.id}>
              <RowHead>
                {collector.host === null && <span className="text-ink3">this process </span>}
                <CollectorName collector={collector} />
              </RowHead>
              <Td>
                <VerdictLabel {...stateOf(collector)} />
              </Td>
              <Td className="text-ink2">{collector.version || unknown}</Td>
              <Td numeric className="text-ink2">
                {collector.heard === null ? 'now' : <RelativeTime at={collector.heard} nowMs={nowMs} />}
              </Td>
              <Td numeric className="text-ink2">
                {runningFor(collector, nowMs)}
              </Td>
              <Td numeric>{collector.spoolBytes === null ? unknown : formatBytes(collector.spoolBytes)}</Td>
              <Td numeric>{collector.diskFreeBytes === null ? unknown : formatBytes(collector.diskFreeBytes)}</Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

const runningFor = ({ state, startedAt }: Collector, nowMs: number): string =>
  startedAt === null || state === 'stopped' || state === 'silent' ? unknown : formatAge(nowMs - Date.parse(startedAt));
