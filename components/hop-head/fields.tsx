import type { ReactNode } from 'react';

const box =
  'h-7.5 min-w-0 rounded-button border border-ctl bg-panel px-2 text-dense text-ink placeholder:text-ink3 max-phone:h-11 max-phone:text-body';

/** A field of a GET form: it works before any script has loaded, and its URL can be shared. */
export function TextField({
  name,
  label,
  value,
  placeholder,
  type = 'text',
  className = '',
}: {
  name: string;
  label: string;
  value: string;
  placeholder?: string;
  type?: 'text' | 'search' | 'number';
  className?: string;
}) {
  return (
    <label className={`flex min-w-0 flex-col gap-0.5 text-note text-ink3 ${className}`}>
      {label}
      <input
        // a new answer brings a new value: without the key the browser would keep what was typed before
        key={value}
        name={name}
        type={type}
        defaultValue={value}
        placeholder={placeholder}
        min={type === 'number' ? 0 : undefined}
        step={type === 'number' ? 'any' : undefined}
        autoComplete="off"
        spellCheck={false}
        className={`${box} w-full`}
      />
    </label>
  );
}

export function ChoiceField({
  name,
  label,
  value,
  any,
  choices,
  className = '',
}: {
  name: string;
  label: string;
  value: string;
  /** the words for "no filter"; left out where one must be chosen */
  any?: string;
  choices: { value: string; text: string }[];
  className?: string;
}) {
  const known = value === '' || choices.some((choice) => choice.value === value);
  return (
    <label className={`flex min-w-0 flex-col gap-0.5 text-note text-ink3 ${className}`}>
      {label}
      <select key={value} name={name} defaultValue={value} className={`${box} w-full`}>
        {any !== undefined && <option value="">{any}</option>}
        {!known && <option value={value}>{value}</option>}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What the form must not lose: the range and whatever else the URL says. */
export function Hidden({ values }: { values: Iterable<[string, string]> }): ReactNode {
  return [...values]
    .filter(([, value]) => value !== '')
    .map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />);
}
