import type { DeliveryView } from '#lib/views/alert-schemas.ts';
import { WorkForm } from '../alert-page/work-form.tsx';
import { AlertTabs } from '../alert-table/alert-tabs.tsx';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { Button, TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatNumber, plural } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictMark } from '../verdict-badge/verdict-mark.tsx';

type Message = DeliveryView['items'][number];

const stateWords: Record<Message['state'], string> = { waiting: 'Waiting', sent: 'Sent', 'given-up': 'Given up' };
const stateMarks = { waiting: 'noticeable', sent: 'ok', 'given-up': 'over' } as const;

/** Who is told, by which routes, and whether it went through. */
export function DeliveryPage({ view }: { view: DeliveryView }) {
  const nowMs = Date.parse(view.now);
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        crumbs={[{ text: 'Alerts', href: '/alerts' }, { text: 'Delivery' }]}
        title="Delivery"
        sentence={<Sentence text={sentenceOf(view)} />}
        actions={<AlertTabs current="/alerts/delivery" />}
      />
      <div className="flex flex-col gap-2.5">
        <Panel id="targets" title="Targets" note="what opens them is masked" flush>
          {view.targets.length === 0 ? <NoTarget /> : <Targets view={view} nowMs={nowMs} />}
        </Panel>
        {view.routes.length > 0 && (
          <Panel id="routes" title="Routes" note="looked at from the first to the last">
            <ol className="list-decimal ps-5 text-dense text-ink2 marker:text-ink3">
              {view.routes.map((route) => (
                <li key={route} className="py-0.5">
                  {route}
                </li>
              ))}
            </ol>
          </Panel>
        )}
        <Panel
          id="messages"
          title="Messages"
          note="newest first"
          actions={<Exports api="/api/v1/delivery" query="" what="Messages" />}
          flush
        >
          {view.items.length === 0 ? (
            <Empty why={view.emptyReason ?? 'Nothing was sent yet.'} />
          ) : (
            <Messages items={view.items} nowMs={nowMs} />
          )}
        </Panel>
      </div>
      <RowKeys within="messages" />
    </div>
  );
}

function sentenceOf({ targets, items }: DeliveryView): string {
  if (targets.length === 0) return 'Nobody is told: no target is set. Alerts stand on these pages alone.';
  const troubled = targets.filter((target) => target.lastError !== null).map(({ name }) => name);
  const waiting = items.filter((message) => message.state === 'waiting').length;
  const told = `${plural(targets.length, 'target')} ${targets.length === 1 ? 'is' : 'are'} told.`;
  const wait = waiting > 0 ? ` ${plural(waiting, 'message')} ${waiting === 1 ? 'waits' : 'wait'} to be sent.` : '';
  return troubled.length === 0
    ? `${told}${wait}`
    : `The last message to ${troubled.join(' and ')} did not go through.${wait}`;
}

function NoTarget() {
  return (
    <Empty why="No target is set in hopscope.yaml.">
      <p>Name one there, and start again:</p>
      <pre className="mt-2 overflow-x-auto rounded-button border border-line bg-raised px-3 py-2 font-mono text-dense text-ink">
        {'delivery:\n  targets:\n    - { name: on-call, kind: ntfy, url: "https://ntfy.example.com/line-team" }'}
      </pre>
    </Empty>
  );
}

function Targets({ view, nowMs }: { view: DeliveryView; nowMs: number }) {
  return (
    <Table caption="Targets of alerts">
      <thead>
        <tr>
          <Th>Name</Th>
          <Th>Kind</Th>
          <Th>Where</Th>
          <Th numeric>Waiting</Th>
          <Th>Last sent</Th>
          <Th>Last attempt</Th>
          <Th className="w-px">
            <span className="sr-only">What to do</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {view.targets.map((target) => (
          <Tr key={target.name}>
            <RowHead className="font-strong">{target.name}</RowHead>
            <Td>{target.kind}</Td>
            <Td className="font-mono break-all text-ink2">{target.address}</Td>
            <Td numeric>{formatNumber(target.waiting)}</Td>
            <Td className="text-ink2">
              {target.lastSent === null ? 'never' : <RelativeTime at={target.lastSent} nowMs={nowMs} />}
            </Td>
            <Td className={target.lastError === null ? 'text-ink2' : 'text-over'}>
              {target.lastError ?? (target.lastSent === null ? 'none yet' : 'went through')}
            </Td>
            <Td>
              <WorkForm action={`/api/v1/delivery/${encodeURIComponent(target.name)}/test`}>
                <Button type="submit" small aria-label={`Send a test to ${target.name}`}>
                  Send a test
                </Button>
              </WorkForm>
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

function Messages({ items, nowMs }: { items: Message[]; nowMs: number }) {
  return (
    <Table caption="Messages about alerts, newest first">
      <thead>
        <tr>
          <Th>State</Th>
          <Th>Alert</Th>
          <Th>Says</Th>
          <Th>Target</Th>
          <Th>Made</Th>
          <Th numeric>Attempts</Th>
          <Th>What went wrong</Th>
        </tr>
      </thead>
      <tbody>
        {items.map((message) => (
          <Tr key={message.id}>
            <Td className="whitespace-nowrap">
              <span className="inline-flex items-center gap-1.5">
                <VerdictMark mark={stateMarks[message.state]} decorative />
                {stateWords[message.state]}
              </span>
            </Td>
            <RowHead>
              <TextLink
                href={`/alerts/${encodeURIComponent(message.alertId)}`}
                className="inline-flex min-h-6 items-center text-ink!"
                data-row=""
              >
                {message.title}
              </TextLink>
            </RowHead>
            <Td>{message.status}</Td>
            <Td>{message.target}</Td>
            <Td className="text-ink2">
              <RelativeTime at={message.createdAt} nowMs={nowMs} />
            </Td>
            <Td numeric>{formatNumber(message.attempts)}</Td>
            <Td className="min-w-40 break-words text-ink2">{message.error || 'nothing'}</Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
