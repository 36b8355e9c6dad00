import type { IngestBatch } from '#lib/domain/ingest-batch.ts';

/** The batch and the buffers that can move with it to another thread instead of being copied. */
export function transferablesOf(batch: IngestBatch): [IngestBatch, ArrayBuffer[]] {
  const buffers = new Set<ArrayBuffer>();
  const move = (view: ArrayBufferView): void => {
    buffers.add(view.buffer as ArrayBuffer);
  };
  let raw = batch.raw;
  if (raw !== null) {
    // A piece of Node's buffer pool must not go: others live in it.
    if (raw.byteLength !== raw.buffer.byteLength) raw = new Uint8Array(raw);
    move(raw);
  }
  if (batch.spans !== null) {
    for (const column of Object.values(batch.spans)) if (ArrayBuffer.isView(column)) move(column);
    for (const column of Object.values(batch.spans.links)) if (ArrayBuffer.isView(column)) move(column);
  }
  return [{ ...batch, raw }, [...buffers]];
}
