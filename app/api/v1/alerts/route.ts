import { handle } from '#app/_http.ts';
import { endpoints } from '#app/api/v1/_endpoints.ts';

export const dynamic = 'force-dynamic';
export const GET = handle(endpoints.alerts);
