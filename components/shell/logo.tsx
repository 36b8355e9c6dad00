import { Drawing } from '../ui/drawing.tsx';

/** A signal that hops twice and ends on a verdict. */
export function Logo() {
  return (
    <Drawing viewBox="0 0 24 16" width="24" height="16" className="shrink-0">
      <path
        d="M3 12.6C3 3 11 2.4 11 10.4a2.1 2.1 0 1 0 4.2 0C15.2 8.6 13 8.6 13 10.6 13 2 21 3 21 11"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinecap="round"
      />
      <circle cx="3" cy="12.6" r="2.2" fill="currentColor" />
      <path d="M21 9.2l3 3-3 3-3-3Z" className="fill-over" />
    </Drawing>
  );
}
