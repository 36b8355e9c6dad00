import type { HopView } from '#lib/views/schemas.ts';
import { ExampleCells } from '../hop-head/example-cells.tsx';
import { TextLink } from '../ui/button.tsx';
import { formatLedger, formatNumber, latencyFigure, unknown } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictLabel } from '../verdict-badge/verdict-mark.tsx';
import { PhoneBound } from './hop-legs.tsx';

const boundOf = ({ addedMs, boundMs }: HopView['examples'][number]): string =>
  addedMs === null || boundMs === null || boundMs === 0 ? '' : `± ${formatNumber(boundMs, 1)}`;

/** Requests picked to span the range, each one a click from its whole story. */
export function HopExamples({ view }: { view: HopView }) {
  const { examples, hop, range } = view;
  const legs = examples.some((example) => example.uplinkMs !== null || example.downlinkMs !== null);
  const requests = examples.some((example) => example.requestMs !== null);
  const leg = (ms: number | null) => (ms === null ? <span className="text-ink3">{unknown}</span> : formatLedger(ms));
  return (
    <Panel
      id="examples"
      title="Example requests"
      note="picked to span the range, not the last five"
      actions={
        <TextLink href={linkTo('/traces', range, { hop: hop.id })} className="text-dense">
          All {formatNumber(hop.requests)} requests
        </TextLink>
      }
      flush
    >
      {examples.length === 0 ? (
        <p className="px-3.5 py-4 text-dense text-ink2">
          No request to show: the spans of this range are gone (see retention) or none crossed this hop.
        </p>
      ) : (
        <Table caption="Example requests over this hop">
          <thead>
            <tr>
              <Th>UTC</Th>
              <Th>Trace</Th>
              <Th>Why this one</Th>
              <Th className="max-desk:hidden">Devices</Th>
              {legs && (
                <>
                  <Th numeric className="max-phone:hidden">
                    uplink
                  </Th>
                  <Th numeric className="max-phone:hidden">
                    downlink
                  </Th>
                </>
              )}
              <Th numeric>Added, ms</Th>
              <Th numeric className="max-phone:hidden">
                ±
              </Th>
              {requests && (
                <Th numeric className="max-phone:hidden">
                  Request, ms
                </Th>
              )}
              <Th className="max-phone:sr-only">Verdict</Th>
            </tr>
          </thead>
          <tbody>
            {examples.map((example) => (
              <Tr key={`${example.traceId} ${example.callerSpanId} ${example.calleeSpanId}`}>
                <ExampleCells startedAt={example.startedAt} traceId={example.traceId} />
                <Td className="text-ink2 phone:whitespace-nowrap">{example.why}</Td>
                <Td className="font-mono whitespace-nowrap text-ink2 max-desk:hidden">
                  {example.callerDevice} → {example.calleeDevice}
                </Td>
                {legs && (
                  <>
                    <Td numeric className="max-phone:hidden">
                      {leg(example.uplinkMs)}
                    </Td>
                    <Td numeric className="max-phone:hidden">
                      {leg(example.downlinkMs)}
                    </Td>
                  </>
                )}
                <Td numeric className="font-strong">
                  {leg(example.addedMs)}
                  <PhoneBound text={boundOf(example)} />
                </Td>
                <Td numeric className="text-ink3 max-phone:hidden">
                  {boundOf(example)}
                </Td>
                {requests && (
                  <Td numeric className="text-ink2 max-phone:hidden">
                    {example.requestMs === null ? (
                      <span
                        className="text-ink3"
                        title="its root has not arrived, did not wait for the answer, or is not yours to see"
                      >
                        {unknown}
                      </span>
                    ) : (
                      latencyFigure(example.requestMs).text
                    )}
                  </Td>
                )}
                <Td className="whitespace-nowrap">
                  {example.error ? (
                    <span className="text-ink2">failed</span>
                  ) : (
                    // on the phone the mark alone; its word is still read out
                    <VerdictLabel mark={example.mark} className="max-phone:w-3 max-phone:overflow-hidden" />
                  )}
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
