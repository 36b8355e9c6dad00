/** What the page's URL asks of the search, as text: the view checks it and says what is wrong. */
export interface TracesForm {
  service: string;
  name: string;
  hop: string;
  minDuration: string;
  maxDuration: string;
  errors: boolean;
  order: 'newest' | 'slowest';
  cursor: string;
}

const one = (value: string | string[] | undefined): string =>
  ((Array.isArray(value) ? value[0] : value) ?? '').trim().slice(0, 300);

export function tracesFormOf(params: Record<string, string | string[] | undefined>): TracesForm {
  return {
    service: one(params.service),
    name: one(params.name),
    hop: one(params.hop),
    minDuration: one(params.minDuration),
    maxDuration: one(params.maxDuration),
    errors: ['true', '1', 'on'].includes(one(params.errors)),
    order: one(params.order) === 'slowest' ? 'slowest' : 'newest',
    cursor: one(params.cursor),
  };
}

/** The form as parameters of a link or of the API; empty fields ask for nothing. */
export const formParams = (form: TracesForm) => ({
  service: form.service,
  name: form.name,
  hop: form.hop,
  minDuration: form.minDuration,
  maxDuration: form.maxDuration,
  errors: form.errors ? 'true' : '',
  order: form.order === 'slowest' ? 'slowest' : '',
});

export const isFiltered = (form: TracesForm): boolean =>
  [form.service, form.name, form.hop, form.minDuration, form.maxDuration].some((value) => value !== '') || form.errors;

/** 16 or 32 hex digits in any case, with or without dashes and spaces around: what logs and other tools print. */
export function traceIdOf(text: string): string | null {
  const id = text.trim().toLowerCase().replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(id) || /^[0-9a-f]{16}$/.test(id) ? id : null;
}
