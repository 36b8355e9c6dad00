import { handleAction } from '#app/_action.ts';
import { handle } from '#app/_http.ts';
import { actions } from '#app/api/v1/_actions.ts';
import { endpoints } from '#app/api/v1/_endpoints.ts';

export const dynamic = 'force-dynamic';
export const GET = handle(endpoints.rules);
export const POST = handleAction(actions.setRule);
export const PUT = handleAction(actions.setRule);
