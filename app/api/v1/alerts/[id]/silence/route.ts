import { handleAction } from '#app/_action.ts';
import { actions } from '#app/api/v1/_actions.ts';

export const dynamic = 'force-dynamic';
export const POST = handleAction(actions.silenceAlert);
