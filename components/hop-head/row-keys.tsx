'use client';

/**
 * J and K walk the rows of a table: they move the focus from one row's link to the next, so Enter opens it and
 * Esc, Tab and a screen reader go on from there. The shell presses these two (data-key).
 */
export function RowKeys({ within }: { within: string }) {
  const step = (by: 1 | -1) => {
    const rows = [...document.querySelectorAll<HTMLElement>(`#${within} [data-row]`)].filter(
      // the phone's cards and the table stand side by side in the page; one of them is not shown
      (row) => row.offsetParent !== null,
    );
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const next = rows[at < 0 ? (by === 1 ? 0 : rows.length - 1) : at + by];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <>
      <button type="button" hidden data-key="j" onClick={() => step(1)}>
        Next row
      </button>
      <button type="button" hidden data-key="k" onClick={() => step(-1)}>
        Previous row
      </button>
    </>
  );
}
