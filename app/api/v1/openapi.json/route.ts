import { jsonAnswer } from '#app/_http.ts';
import { hopscope } from '#app/_server.ts';
import { openApi } from '#app/api/v1/_openapi.ts';

export const dynamic = 'force-dynamic';

export function GET(): Response {
  return jsonAnswer(openApi(hopscope().status.version));
}
