import * as z from 'zod';
import type { Action } from '#app/_action.ts';
import { alertViewSchema, markerItemSchema, rulesViewSchema, silenceItemSchema } from '#lib/views/alert-schemas.ts';
import {
  acknowledge,
  assign,
  assignSchema,
  comment,
  commentSchema,
  nothingSchema,
  silenceAlert,
  silenceAlertSchema,
  unacknowledge,
} from '#lib/work/alert-work.ts';
import { testTarget } from '#lib/work/delivery-work.ts';
import { addMarker, markerSchema } from '#lib/work/marker-work.ts';
import { ruleSchema, setRule } from '#lib/work/rule-work.ts';
import { endSilence, makeSilence, silenceSchema } from '#lib/work/silence-work.ts';

const action = <B extends z.ZodObject, A extends z.ZodObject>(of: Action<B, A>): Action<B, A> => of;

const alertParams = { id: 'id of the alert' };
const alertPage = ({ id }: Record<string, string>): string => `/alerts/${encodeURIComponent(id!)}`;

/** Everything that people do over the API. Handlers, the OpenAPI file and its tests are made of this list. */
export const actions = {
  acknowledgeAlert: action({
    path: '/api/v1/alerts/{id}/acknowledge',
    methods: ['POST'],
    summary: 'I look after it. Twice is once',
    params: alertParams,
    body: nothingSchema,
    answer: alertViewSchema,
    act: (context, asked) => acknowledge(context, { id: asked.id! }),
    page: alertPage,
  }),
  unacknowledgeAlert: action({
    path: '/api/v1/alerts/{id}/unacknowledge',
    methods: ['POST'],
    summary: 'Undoes an acknowledgement',
    params: alertParams,
    body: nothingSchema,
    answer: alertViewSchema,
    act: (context, asked) => unacknowledge(context, { id: asked.id! }),
    page: alertPage,
  }),
  commentAlert: action({
    path: '/api/v1/alerts/{id}/comment',
    methods: ['POST'],
    summary: 'Adds a line to the history of an alert',
    params: alertParams,
    body: commentSchema,
    answer: alertViewSchema,
    act: (context, asked) => comment(context, { text: asked.text, id: asked.id! }),
    page: alertPage,
  }),
  assignAlert: action({
    path: '/api/v1/alerts/{id}/assign',
    methods: ['POST'],
    summary: 'Says who looks after an alert',
    params: alertParams,
    body: assignSchema,
    answer: alertViewSchema,
    act: (context, asked) => assign(context, { to: asked.to, id: asked.id! }),
    page: alertPage,
  }),
  silenceAlert: action({
    path: '/api/v1/alerts/{id}/silence',
    methods: ['POST'],
    summary: 'Sends nothing more about the cause of an alert for a while; it stays on the pages',
    params: alertParams,
    body: silenceAlertSchema,
    answer: alertViewSchema,
    act: (context, asked) => silenceAlert(context, { forMs: asked.forMs, reason: asked.reason, id: asked.id! }),
    page: alertPage,
  }),
  makeSilence: action({
    path: '/api/v1/silences',
    methods: ['POST'],
    summary: 'Sends nothing for alerts that fit all that is given',
    params: {},
    body: silenceSchema,
    answer: silenceItemSchema,
    act: makeSilence,
    page: () => '/alerts/silences',
  }),
  endSilence: action({
    path: '/api/v1/silences/{id}/end',
    methods: ['POST'],
    summary: 'Ends a silence early',
    params: { id: 'id of the silence' },
    body: nothingSchema,
    answer: silenceItemSchema,
    act: (context, asked) => endSilence(context, { id: asked.id! }),
    page: () => '/alerts/silences',
  }),
  setRule: action({
    path: '/api/v1/rules',
    methods: ['PUT', 'POST'],
    summary: 'Sets a rule for all: goes before hopscope.yaml; who set it when is kept. POST is for forms',
    params: {},
    body: ruleSchema,
    answer: rulesViewSchema,
    act: setRule,
    page: () => '/alerts/rules',
  }),
  addMarker: action({
    path: '/api/v1/markers',
    methods: ['POST'],
    summary: 'Tells of a deploy, a move, a change by hand: alerts are held against it',
    params: {},
    body: markerSchema,
    answer: markerItemSchema.extend({ isNew: z.boolean().describe('false: this id was told before') }),
    act: addMarker,
    page: () => '/alerts',
  }),
  testTarget: action({
    path: '/api/v1/delivery/{target}/test',
    methods: ['POST'],
    summary: 'Sends a message that is marked as a test to one target',
    params: { target: 'name of the target' },
    body: nothingSchema,
    answer: z.object({ target: z.string(), sentence: z.string().describe('how it went, in words') }),
    act: (context, asked) => testTarget(context, { target: asked.target! }),
    page: () => '/alerts/delivery',
  }),
};
