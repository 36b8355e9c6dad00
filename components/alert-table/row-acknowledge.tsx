'use client';

/** `a` takes the alert whose row has the focus, as J and K moved it there. The shell presses it (data-key). */
export function RowAcknowledge() {
  const press = () =>
    document.activeElement
      ?.closest('[data-alert-row]')
      ?.querySelector<HTMLButtonElement>('button[data-acknowledge]')
      ?.click();
  return (
    <button type="button" hidden data-key="a" onClick={press}>
      Acknowledge the alert of this row
    </button>
  );
}
