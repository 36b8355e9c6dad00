import type * as z from 'zod';
import type { ViewContext } from '#lib/views/context.ts';
import { fieldsOf, readBody } from './_body.ts';
import { jsonAnswer, problemAnswer, problemOf, type RouteContext } from './_http.ts';
import { workContext } from './_server.ts';

/** One thing that people do: what is sent, what is answered, and which page a form goes on to. */
export interface Action<B extends z.ZodObject = z.ZodObject, A extends z.ZodObject = z.ZodObject> {
  /** as in OpenAPI: /api/v1/alerts/{id}/acknowledge */
  path: string;
  /** forms know POST alone */
  methods: readonly ('POST' | 'PUT')[];
  summary: string;
  /** names in the path, with what they are */
  params: Record<string, string>;
  body: B;
  answer: A;
  act(context: ViewContext, asked: z.output<B> & Record<string, string>): Promise<z.output<A>>;
  /** the page that shows what came of it */
  page(params: Record<string, string>): string;
}

/** Says in a form where to go on instead; only to pages of alerts, for a link from elsewhere must not lead away. */
const backField = 'back';
const backPattern = /^\/alerts(?:[/?][^\\\r\n]{0,500})?$/;

/**
 * POST or PUT for one action. That it came from this site's own pages, or from no page at all, was seen to at the door (collectors/web).
 * A plain form gets 303 to a page, anything else JSON.
 */
export function handleAction<B extends z.ZodObject, A extends z.ZodObject>(action: Action<B, A>) {
  return async (request: Request, route?: RouteContext): Promise<Response> => {
    try {
      const { fields, isForm } = await readBody(request);
      const { [backField]: back, ...sent } = fields;
      const asked = fieldsOf(action.body, sent);
      const params = (await route?.params) ?? {};
      const answer = await action.act(await workContext(), { ...asked, ...params });
      if (!isForm) return jsonAnswer(answer);
      const page = typeof back === 'string' && backPattern.test(back) ? back : action.page(params);
      return new Response(null, { status: 303, headers: { Location: page, 'Cache-Control': 'no-store' } });
    } catch (error) {
      return problemAnswer(problemOf(error));
    }
  };
}
