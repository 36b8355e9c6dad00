import type { PathView } from '#lib/views/schemas.ts';
import { ExampleCells } from '../hop-head/example-cells.tsx';
import { openWords } from '../path-table/path-words.tsx';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { formatNumber } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Table, Td, Th, Tr } from '../ui/table.tsx';
import { VerdictLabel } from '../verdict-badge/verdict-mark.tsx';

/** Fast, median and slow: each one a click from its whole story. */
export function PathExamples({ view }: { view: PathView }) {
  const { examples, path, range, variants } = view;
  const way = (id: string) => variants.findIndex((variant) => variant.id === id) + 1;
  return (
    <Panel
      id="examples"
      title="Example requests"
      note={`of ${formatNumber(path.looked)} looked at`}
      actions={
        <TextLink href={linkTo('/traces', range, { name: path.name })} className="text-dense">
          All {formatNumber(path.count)} requests
        </TextLink>
      }
      flush
    >
      {examples.length === 0 ? (
        <p className="px-3.5 py-4 text-dense text-ink2">
          No request to show: the spans of this range are gone (see retention), or none came.
        </p>
      ) : (
        <Table caption="Example requests of this path">
          <thead>
            <tr>
              <Th>UTC</Th>
              <Th>Trace</Th>
              <Th>Why this one</Th>
              {variants.length > 1 && <Th numeric>Way</Th>}
              <Th numeric>End to end</Th>
              <Th className="max-phone:hidden">Verdict</Th>
            </tr>
          </thead>
          <tbody>
            {examples.map((example) => (
              <Tr key={example.traceId}>
                <ExampleCells startedAt={example.startedAt} traceId={example.traceId} />
                <Td className="whitespace-nowrap text-ink2">{example.why}</Td>
                {variants.length > 1 && <Td numeric>{way(example.variantId) || 'other'}</Td>}
                <Td numeric>
                  <Duration ms={example.totalMs} boundMs={example.boundMs} />
                  {openWords(example.totalMs, example.boundMs) !== null && (
                    <span className="text-ink3"> ± unknown</span>
                  )}
                </Td>
                <Td className="whitespace-nowrap max-phone:hidden">
                  {path.budgetMs === null ? (
                    <span className="text-ink3">no budget</span>
                  ) : (
                    <VerdictLabel mark={example.mark} />
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
