import type { SpanItem } from '#lib/views/schemas.ts';

export interface SpanRow {
  span: SpanItem;
  depth: number;
  /** names a parent that is not in this trace (yet) */
  orphan: boolean;
}

/** Children under their parents, siblings by start. A loop or a missing parent hides nothing: such spans start a tree of their own. */
export function spanTree(spans: readonly SpanItem[], raw: boolean): SpanRow[] {
  const key = (traceId: string, spanId: string) => `${traceId} ${spanId}`;
  const known = new Map(spans.map((span) => [key(span.traceId, span.spanId), span]));
  const children = new Map<string, SpanItem[]>();
  const roots: SpanItem[] = [];
  for (const span of spans) {
    const parent = span.parentSpanId === null ? undefined : known.get(key(span.traceId, span.parentSpanId));
    if (parent === undefined || parent === span) {
      roots.push(span);
      continue;
    }
    const under = key(parent.traceId, parent.spanId);
    const siblings = children.get(under);
    if (siblings) siblings.push(span);
    else children.set(under, [span]);
  }
  const startOf = (span: SpanItem) => (raw ? span.rawStartMs : (span.startMs ?? span.rawStartMs));
  const byStart = (a: SpanItem, b: SpanItem) => startOf(a) - startOf(b) || a.spanId.localeCompare(b.spanId);
  const rows: SpanRow[] = [];
  const seen = new Set<SpanItem>();
  // a stack, not recursion: a chain of thousands of spans is a trace too
  const walk = (first: SpanItem) => {
    const stack = [{ span: first, depth: 0 }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { span, depth } = next;
      if (seen.has(span)) continue;
      seen.add(span);
      rows.push({ span, depth, orphan: depth === 0 && span.parentSpanId !== null });
      const under = (children.get(key(span.traceId, span.spanId)) ?? []).toSorted(byStart);
      for (const child of under.reverse()) stack.push({ span: child, depth: depth + 1 });
    }
  };
  for (const root of roots.sort(byStart)) walk(root);
  for (const span of spans) walk(span);
  return rows;
}
