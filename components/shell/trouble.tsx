import { buttonClass } from '../ui/button.tsx';
import { formatClockSeconds } from '../ui/format.ts';
import { RetryButton } from './retry-button.tsx';

/** What broke, why, when, and the way on. */
export function Trouble({
  title,
  causes,
  atMs,
  retry = false,
}: {
  title: string;
  causes: string[];
  atMs: number;
  retry?: boolean;
}) {
  return (
    <div className="mx-auto flex max-w-160 flex-col items-start gap-3 px-4 py-14">
      <h1 className="text-title font-title">{title}</h1>
      <ul className="flex flex-col gap-1 text-sentence text-ink2">
        {causes.map((cause) => (
          <li key={cause}>{cause}</li>
        ))}
      </ul>
      <p className="text-dense text-ink3">{formatClockSeconds(atMs)} UTC</p>
      <p className="flex flex-wrap gap-2">
        {retry && <RetryButton />}
        <a href="?" className={buttonClass('plain')}>
          Show the last 15 minutes
        </a>
        <a href="/status" className={buttonClass('plain')}>
          Status
        </a>
      </p>
    </div>
  );
}
