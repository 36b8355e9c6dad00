import type { SpanItem } from '#lib/views/schemas.ts';

/** Whatever a sender put there, as text: arrays and objects as JSON, never as markup. */
export function attributeText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Name and value side by side, in the order they were sent. */
export function AttributeList({ attributes, most = 200 }: { attributes: SpanItem['attributes']; most?: number }) {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return <p className="text-ink3">none</p>;
  return (
    <dl className="flex flex-wrap gap-x-3 gap-y-0.5 font-mono text-note">
      {entries.slice(0, most).map(([name, value]) => (
        <div key={name} className="flex max-w-full min-w-0 gap-1.5">
          <dt className="shrink-0 text-ink3">{name}</dt>
          <dd className="min-w-0 break-all text-ink">{attributeText(value)}</dd>
        </div>
      ))}
      {entries.length > most && <div className="text-ink3">and {entries.length - most} more in the JSON export</div>}
    </dl>
  );
}
