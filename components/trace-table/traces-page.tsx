import type { RangeView, TraceItem, TracesView } from '#lib/views/schemas.ts';
import { ChoiceField, Hidden, TextField } from '../hop-head/fields.tsx';
import { PageHead } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { siteName } from '../hop-head/site-name.ts';
import { Button, ButtonLink, TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import {
  formatAbsolute,
  formatClockSeconds,
  formatDay,
  formatLatency,
  formatNumber,
  latencyFigure,
  plural,
  shortId,
} from '../ui/format.ts';
import { linkTo, rangeQuery, rangeWords } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Exports, RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { formParams, isFiltered, type TracesForm } from './traces-query.ts';

const same = (value: string) => ({ value, text: value });

function SearchForm({ view, form }: { view: TracesView; form: TracesForm }) {
  return (
    <form
      action="/traces"
      className="grid grid-cols-2 items-end gap-2 border-b border-line px-3.5 py-2.5 phone:grid-cols-3 wide:flex wide:flex-wrap"
    >
      <Hidden values={rangeQuery(view.range)} />
      {form.hop !== '' && <Hidden values={[['hop', form.hop]]} />}
      <ChoiceField
        name="service"
        label="Service on the way"
        value={form.service}
        any="Any"
        choices={view.services.map(same)}
        className="wide:w-44"
      />
      <ChoiceField
        name="name"
        label="Request (root span)"
        value={form.name}
        any="Any"
        choices={view.rootNames.map(same)}
        className="wide:w-56"
      />
      <TextField name="minDuration" label="At least, ms" type="number" value={form.minDuration} className="wide:w-24" />
      <TextField name="maxDuration" label="At most, ms" type="number" value={form.maxDuration} className="wide:w-24" />
      <ChoiceField
        name="order"
        label="Order"
        value={form.order}
        choices={[
          { value: 'newest', text: 'Newest first' },
          { value: 'slowest', text: 'Slowest first' },
        ]}
        className="wide:w-32"
      />
      <label className="flex h-7.5 items-center gap-2 text-dense text-ink2 max-phone:h-11 max-phone:text-body">
        <input
          key={String(form.errors)}
          type="checkbox"
          name="errors"
          value="true"
          defaultChecked={form.errors}
          className="size-4 accent-acc"
        />
        Errors only
      </label>
      <div className="flex gap-2 max-phone:col-span-2 max-phone:*:flex-1">
        <Button type="submit">Search</Button>
        {isFiltered(form) && (
          <ButtonLink kind="quiet" href={linkTo('/traces', view.range)}>
            Clear
          </ButtonLink>
        )}
      </div>
    </form>
  );
}

/** A box of its own: an id from a log opens its trace whatever the filters say. */
function OpenById({ wrong }: { wrong: string | null }) {
  return (
    <form action="/traces" className="flex flex-wrap items-end gap-2">
      <label className="flex min-w-0 flex-col gap-0.5 text-note text-ink3 max-phone:flex-1">
        Trace id
        <input
          name="id"
          defaultValue={wrong ?? ''}
          placeholder="16 or 32 hex digits"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={wrong !== null}
          aria-describedby={wrong === null ? undefined : 'wrong-id'}
          className="h-7.5 w-76 max-w-full rounded-button border border-ctl bg-panel px-2 font-mono text-dense text-ink placeholder:font-sans placeholder:text-ink3 max-phone:h-11 max-phone:w-full"
        />
      </label>
      <Button type="submit">Open</Button>
      {wrong !== null && (
        <p id="wrong-id" role="alert" className="w-full text-dense break-all text-over">
          “{wrong}” is no trace id: wanted 16 or 32 hex digits.
        </p>
      )}
    </form>
  );
}

const rootOf = (trace: TraceItem): string =>
  trace.hasRoot && trace.rootName !== '' ? trace.rootName : 'root span missing';

function Started({ trace, range }: { trace: TraceItem; range: RangeView }) {
  const ms = Date.parse(trace.startedAt);
  return (
    <time dateTime={trace.startedAt} title={formatAbsolute(ms)} className="whitespace-nowrap">
      {range.toMs - range.fromMs > 86_400_000 ? `${formatDay(ms)} ` : ''}
      {formatClockSeconds(ms)}
    </time>
  );
}

function DurationBar({ ms, mostMs }: { ms: number; mostMs: number }) {
  return (
    <div className="h-2 w-full min-w-24 rounded-bar bg-raised" aria-hidden="true">
      <div
        className="h-2 min-w-0.5 rounded-bar bg-data"
        style={{ width: `${mostMs > 0 ? Math.min(100, (ms / mostMs) * 100) : 0}%` }}
      />
    </div>
  );
}

function Failures({ errors }: { errors: number }) {
  return errors === 0 ? (
    <span className="text-ink3">0</span>
  ) : (
    <span className="font-strong text-over">{formatNumber(errors)}</span>
  );
}

function TraceRows({ view, siteNames }: { view: TracesView; siteNames: Record<string, string> }) {
  const { items, range } = view;
  const mostMs = Math.max(...items.map((trace) => trace.durationMs));
  return (
    <>
      <div className="max-phone:hidden">
        <Table caption="Requests found; durations in milliseconds">
          <thead>
            <tr>
              <Th>UTC</Th>
              <Th>Trace</Th>
              <Th>Request</Th>
              <Th>Service, site</Th>
              <Th numeric>Took</Th>
              <Th className="w-[22%] max-wide:hidden">0 to {formatLatency(mostMs)}</Th>
              <Th numeric>Spans</Th>
              <Th numeric>Errors</Th>
            </tr>
          </thead>
          <tbody>
            {items.map((trace) => (
              <Tr key={trace.traceId} className="relative">
                <Td className="text-ink2">
                  <Started trace={trace} range={range} />
                </Td>
                <RowHead>
                  <TextLink
                    href={`/traces/${trace.traceId}`}
                    title={trace.traceId}
                    className="stretch-link inline-flex min-h-6 items-center font-mono"
                    data-row=""
                    aria-label={`${shortId(trace.traceId)}, ${rootOf(trace)}`}
                  >
                    {shortId(trace.traceId)}
                  </TextLink>
                </RowHead>
                <Td className={`max-w-80 break-words ${trace.hasRoot ? 'font-strong' : 'text-ink3'}`}>
                  {rootOf(trace)}
                </Td>
                <Td>
                  {trace.rootService} <span className="text-ink3">{siteNames[trace.site] ?? siteName(trace.site)}</span>
                </Td>
                <Td numeric className="font-strong">
                  {latencyFigure(trace.durationMs).text}
                  <span className="font-normal text-ink3"> {latencyFigure(trace.durationMs).unit}</span>
                </Td>
                <Td className="max-wide:hidden">
                  <DurationBar ms={trace.durationMs} mostMs={mostMs} />
                </Td>
                <Td numeric className="text-ink2">
                  {formatNumber(trace.spans)}
                </Td>
                <Td numeric>
                  <Failures errors={trace.errors} />
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      </div>
      <ul className="divide-y divide-line phone:hidden">
        {items.map((trace) => (
          <li key={trace.traceId} className="relative px-3.5 py-3">
            <div className="flex items-start justify-between gap-3">
              <TextLink
                href={`/traces/${trace.traceId}`}
                className="stretch-link min-w-0 font-strong break-words !text-ink"
                data-row=""
              >
                {rootOf(trace)}
              </TextLink>
              <span className="font-strong whitespace-nowrap">{formatLatency(trace.durationMs)}</span>
            </div>
            <div className="my-1.5">
              <DurationBar ms={trace.durationMs} mostMs={mostMs} />
            </div>
            <p className="text-note text-ink3">
              <Started trace={trace} range={range} />, {trace.rootService}{' '}
              {siteNames[trace.site] ?? siteName(trace.site)}, {plural(trace.spans, 'span')}
              {trace.errors > 0 && <span className="text-over">, {plural(trace.errors, 'error')}</span>}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Find requests, open one. */
export function TracesPage({
  view,
  form,
  wrongId = null,
  siteNames = {},
}: {
  view: TracesView;
  form: TracesForm;
  /** what was asked for by ?id= and is no id */
  wrongId?: string | null;
  siteNames?: Record<string, string>;
}) {
  const { range, items } = view;
  const query = new URLSearchParams(rangeQuery(range));
  for (const [name, value] of Object.entries(formParams(form))) if (value !== '') query.set(name, value);
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        title="Traces"
        sentence="One trace is one request through the whole fleet. Find it by where it went, what it took, or its id."
        actions={<OpenById wrong={wrongId} />}
      />
      <Panel
        id="traces"
        title={
          items.length === 0
            ? 'No traces'
            : `${plural(items.length, 'trace')}${view.nextCursor === null ? '' : ' and more'}`
        }
        note={`${rangeWords(range)}, ${form.order === 'slowest' ? 'slowest' : 'newest'} first`}
        actions={
          <>
            {form.hop !== '' && (
              <span className="text-dense text-ink2">
                over hop{' '}
                <TextLink href={linkTo(`/hops/${form.hop}`, range)} className="font-mono">
                  {shortId(form.hop)}
                </TextLink>
              </span>
            )}
            <Exports api="/api/v1/traces" query={query.toString()} what="These traces" />
          </>
        }
        flush
      >
        <SearchForm view={view} form={form} />
        {items.length > 0 ? (
          <>
            <TraceRows view={view} siteNames={siteNames} />
            <RowKeys within="traces" />
          </>
        ) : (
          <Empty why={view.emptyReason ?? 'No trace began in this range.'}>
            <span className="flex flex-wrap gap-2">
              {isFiltered(form) && <ButtonLink href={linkTo('/traces', range)}>Clear the filters</ButtonLink>}
              <ButtonLink href={linkTo('/traces', { fromText: 'now-24h', toText: 'now' }, formParams(form))}>
                Look at the last 24 h
              </ButtonLink>
            </span>
          </Empty>
        )}
        {(view.nextCursor !== null || form.cursor !== '') && (
          <nav aria-label="More traces" className="flex flex-wrap gap-2 border-t border-line px-3.5 py-2.5">
            {form.cursor !== '' && <ButtonLink href={linkTo('/traces', range, formParams(form))}>Newest</ButtonLink>}
            {view.nextCursor !== null && (
              <ButtonLink href={linkTo('/traces', range, { ...formParams(form), cursor: view.nextCursor })}>
                Older →
              </ButtonLink>
            )}
          </nav>
        )}
      </Panel>
    </div>
  );
}
