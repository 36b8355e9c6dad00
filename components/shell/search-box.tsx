import Form from 'next/form';
import { Icon } from '../ui/icon.tsx';

/** A GET form: works before and without script. `/` brings the cursor here. */
export function SearchBox({ defaultValue = '', name = 'Search' }: { defaultValue?: string; name?: string }) {
  return (
    <Form
      action="/search"
      role="search"
      aria-label={name}
      className="relative w-47 max-wide:w-40 max-phone:w-auto max-phone:flex-1"
    >
      <Icon
        name="search"
        size={14}
        className="pointer-events-none absolute start-2.5 top-1/2 -translate-y-1/2 text-ink3"
      />
      <input
        type="search"
        name="q"
        defaultValue={defaultValue}
        required
        maxLength={200}
        data-key="/"
        aria-keyshortcuts="/"
        aria-label="Search for a hop, trace, topic or device"
        placeholder="Find hop, trace, topic"
        className="h-7.5 w-full rounded-button border border-ctl bg-panel ps-8 pe-7 text-dense text-ink placeholder:text-ink3 max-phone:h-11 max-phone:text-body"
      />
      <span
        aria-hidden="true"
        className="pointer-events-none absolute end-1.5 top-1/2 -translate-y-1/2 rounded-bar border border-line2 px-1.5 font-sans text-note text-ink3 max-wide:hidden"
      >
        /
      </span>
    </Form>
  );
}
