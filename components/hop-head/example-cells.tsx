import { TextLink } from '../ui/button.tsx';
import { formatAbsolute, formatClockSeconds, shortId } from '../ui/format.ts';
import { Td } from '../ui/table.tsx';

/** When a request was made, and the way to its whole story: the first two cells of its row. */
export function ExampleCells({ startedAt, traceId }: { startedAt: string; traceId: string }) {
  const startedMs = Date.parse(startedAt);
  return (
    <>
      <Td className="whitespace-nowrap">
        <time dateTime={startedAt} title={formatAbsolute(startedMs)}>
          {formatClockSeconds(startedMs)}
        </time>
      </Td>
      <Td>
        <TextLink
          href={`/traces/${traceId}`}
          className="inline-flex min-h-6 items-center font-mono max-phone:min-h-11"
          title={traceId}
          data-row=""
        >
          {shortId(traceId)}
        </TextLink>
      </Td>
    </>
  );
}
