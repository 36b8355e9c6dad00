import { Drawing } from './drawing.tsx';

const paths = {
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.4 10.4 13.5 13.5',
  clock: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 5v3.2l2 1.3',
  chevronDown: 'M4.5 6.5 8 10l3.5-3.5',
  chevronRight: 'M6.5 4.5 10 8l-3.5 3.5',
  left: 'M9.5 4 5.5 8l4 4',
  right: 'M6.5 4l4 4-4 4',
  sun: 'M8 5.4a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2ZM8 1.6v1.2M8 13.2v1.2M1.6 8h1.2M13.2 8h1.2M3.5 3.5l.8.8M11.7 11.7l.8.8M12.5 3.5l-.8.8M4.3 11.7l-.8.8',
  moon: 'M13 9.6A5.4 5.4 0 0 1 6.4 3a5.4 5.4 0 1 0 6.6 6.6Z',
  system: 'M2.5 3.5h11v7.2h-11ZM6 13.2h4M8 10.7v2.5',
  close: 'm4.5 4.5 7 7M11.5 4.5l-7 7',
  copy: 'M6 5.8h6.7v7.4H6ZM3.3 10.2V2.8H10',
  check: 'm3.5 8.5 3 3 6-7',
  pause: 'M6 4v8M10 4v8',
  play: 'M5.5 3.8v8.4l6.5-4.2Z',
  pulse: 'M1.8 8.4h3l1.6-4 2.8 7.4 1.8-3.4h3.2',
  up: 'M8 12.5V4M4.8 6.9 8 3.7l3.2 3.2M3.5 14h9',
  place: 'M8 14s4.6-4.3 4.6-7.6a4.6 4.6 0 1 0-9.2 0C3.4 9.7 8 14 8 14ZM8 4.9a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2Z',
  person: 'M8 2.8a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2ZM3 13.6c.5-2.4 2.5-3.9 5-3.9s4.5 1.5 5 3.9',
  bell: 'M8 2.3a3.9 3.9 0 0 0-3.9 3.9c0 3.6-1.3 4.6-1.3 4.6h10.4s-1.3-1-1.3-4.6A3.9 3.9 0 0 0 8 2.3ZM6.7 13.2c.3.4.7.6 1.3.6s1-.2 1.3-.6',
  external: 'M9.5 3h3.5v3.5M13 3 7.8 8.2M11.5 9.5V13H3V4.5h3.5',
  fix: 'M4.2 7.3h7.6v5.9H4.2ZM5.8 7.3V5.2a2.2 2.2 0 0 1 4.4 0v2.1',
} as const;

export type IconName = keyof typeof paths;

/** Line icons, 16 x 16. Always beside words or inside a labelled control. */
export function Icon({ name, size = 16, className = '' }: { name: IconName; size?: number; className?: string }) {
  return (
    <Drawing viewBox="0 0 16 16" width={size} height={size} className={`shrink-0 ${className}`}>
      <path
        d={paths[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </Drawing>
  );
}
