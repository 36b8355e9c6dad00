import { Segmented } from '../ui/segmented.tsx';

const pages = [
  { href: '/alerts', label: 'Alerts' },
  { href: '/alerts/rules', label: 'Rules' },
  { href: '/alerts/silences', label: 'Silences' },
  { href: '/alerts/delivery', label: 'Delivery' },
] as const;

export type AlertTab = (typeof pages)[number]['href'];

/** The four pages about alerts, at the head of each. */
export function AlertTabs({ current }: { current: AlertTab }) {
  return (
    <Segmented
      label="Pages of alerts"
      segments={pages.map(({ href, label }) => ({ href, label, current: href === current }))}
    />
  );
}
