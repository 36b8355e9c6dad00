import { jsonAnswer } from '#app/_http.ts';

export const dynamic = 'force-dynamic';

/** The process answers. Whether it is of use is /readyz. */
export function GET(): Response {
  return jsonAnswer({ status: 'ok' });
}
