import { problemAnswer } from '#app/_http.ts';
import { hopscope } from '#app/_server.ts';
import { streams } from './_streams.ts';

export const dynamic = 'force-dynamic';

/** Tells an open page that data came in; what came it asks for itself, by its own address and with its own rights. */
export function GET(request: Request): Response {
  const stream = streams().open((listener) => hopscope().onChange(listener), request.signal);
  if (!stream) {
    return problemAnswer(
      {
        type: 'about:blank',
        title: 'Too many streams are open',
        status: 503,
        detail: 'Close a page, or wait for one to end.',
      },
      { 'Retry-After': '10' },
    );
  }
  return new Response(stream, {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      // nothing between here and the browser may keep, pack or gather events
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    },
  });
}
