import type * as z from 'zod';
import type { Endpoint } from '#app/_http.ts';
import {
  alertsViewSchema,
  alertViewSchema,
  deliveryViewSchema,
  markersViewSchema,
  rulesViewSchema,
  silencesViewSchema,
} from '#lib/views/alert-schemas.ts';
import { alertQuerySchema, alertView } from '#lib/views/alert-view.ts';
import { alertsQuerySchema, alertsView } from '#lib/views/alerts-view.ts';
import { clocksQuerySchema, clocksView } from '#lib/views/clocks-view.ts';
import { deliveryQuerySchema, deliveryView } from '#lib/views/delivery-view.ts';
import { deviceQuerySchema, deviceView } from '#lib/views/device-view.ts';
import { devicesQuerySchema, devicesView } from '#lib/views/devices-view.ts';
import { fleetQuerySchema, fleetView } from '#lib/views/fleet-view.ts';
import { hopQuerySchema, hopView } from '#lib/views/hop-view.ts';
import { hopsQuerySchema, hopsView } from '#lib/views/hops-view.ts';
import { markersQuerySchema, markersView } from '#lib/views/markers-view.ts';
import { pathQuerySchema, pathView } from '#lib/views/path-view.ts';
import { pathsQuerySchema, pathsView } from '#lib/views/paths-view.ts';
import { rulesQuerySchema, rulesView } from '#lib/views/rules-view.ts';
import {
  clocksViewSchema,
  devicesViewSchema,
  deviceViewSchema,
  fleetViewSchema,
  hopsViewSchema,
  hopViewSchema,
  pathsViewSchema,
  pathViewSchema,
  searchViewSchema,
  statusViewSchema,
  topicsViewSchema,
  tracesViewSchema,
  traceViewSchema,
} from '#lib/views/schemas.ts';
import { searchQuerySchema, searchView } from '#lib/views/search-view.ts';
import { silencesQuerySchema, silencesView } from '#lib/views/silences-view.ts';
import { statusQuerySchema, statusView } from '#lib/views/status-view.ts';
import { topicsQuerySchema, topicsView } from '#lib/views/topics-view.ts';
import { traceQuerySchema, traceView } from '#lib/views/trace-view.ts';
import { tracesQuerySchema, tracesView } from '#lib/views/traces-view.ts';

const endpoint = <Q extends z.ZodObject, A extends z.ZodObject>(of: Endpoint<Q, A>): Endpoint<Q, A> => of;

/** Every table and object of the API. Handlers, the OpenAPI file and its tests are made of this list. */
export const endpoints = {
  fleet: endpoint({
    path: '/api/v1/fleet',
    summary: 'The whole fleet: sites, devices, what lies between the sites, what needs a decision',
    query: fleetQuerySchema,
    params: {},
    answer: fleetViewSchema,
    view: fleetView,
    table: 'edges',
  }),
  hops: endpoint({
    path: '/api/v1/hops',
    summary: 'Hops of a range with what they add and the verdict, worst first',
    query: hopsQuerySchema,
    params: {},
    answer: hopsViewSchema,
    view: hopsView,
    table: 'items',
  }),
  hop: endpoint({
    path: '/api/v1/hops/{id}',
    summary: 'One hop: figures, course, heat map, examples, clocks',
    query: hopQuerySchema,
    params: { id: 'id of the hop, 16 hex digits' },
    answer: hopViewSchema,
    view: (context, query) => hopView(context, { ...query, id: query.id! }),
    table: 'series',
  }),
  paths: endpoint({
    path: '/api/v1/paths',
    summary: 'Request paths of a range end to end, with the share of each hop and the verdict, worst first',
    query: pathsQuerySchema,
    params: {},
    answer: pathsViewSchema,
    view: pathsView,
    table: 'items',
  }),
  path: endpoint({
    path: '/api/v1/paths/{id}',
    summary: 'One request path: its trees of hops, course, examples',
    query: pathQuerySchema,
    params: { id: 'id of the path, 16 hex digits' },
    answer: pathViewSchema,
    view: (context, query) => pathView(context, { ...query, id: query.id! }),
    table: 'places',
  }),
  traces: endpoint({
    path: '/api/v1/traces',
    summary: 'Traces of a range, newest or slowest first',
    query: tracesQuerySchema,
    params: {},
    answer: tracesViewSchema,
    view: tracesView,
    table: 'items',
  }),
  trace: endpoint({
    path: '/api/v1/traces/{traceId}',
    summary: 'One trace: its spans, and the ledger that adds up',
    query: traceQuerySchema,
    params: { traceId: 'trace id, 16 or 32 hex digits of any case' },
    answer: traceViewSchema,
    view: (context, query) => traceView(context, { traceId: query.traceId! }),
    table: 'ledger',
  }),
  devices: endpoint({
    path: '/api/v1/devices',
    summary: 'Devices with their state, CPU and memory, by site and name',
    query: devicesQuerySchema,
    params: {},
    answer: devicesViewSchema,
    view: devicesView,
    table: 'items',
  }),
  device: endpoint({
    path: '/api/v1/devices/{deviceId}',
    summary: 'One device: health over the range, events, hops, clock',
    query: deviceQuerySchema,
    params: { deviceId: 'id of the device, or its name where only one bears it' },
    answer: deviceViewSchema,
    view: (context, query) => deviceView(context, { ...query, id: query.deviceId! }),
    table: 'series',
  }),
  topics: endpoint({
    path: '/api/v1/topics',
    summary: 'What the brokers carried by topic, busiest first',
    query: topicsQuerySchema,
    params: {},
    answer: topicsViewSchema,
    view: topicsView,
    table: 'items',
  }),
  clocks: endpoint({
    path: '/api/v1/clocks',
    summary: "Clocks of devices against the collector's, the least certain first",
    query: clocksQuerySchema,
    params: {},
    answer: clocksViewSchema,
    view: clocksView,
    table: 'items',
  }),
  search: endpoint({
    path: '/api/v1/search',
    summary: 'Hops, traces, topics, devices, services and paths by name; at most 20',
    query: searchQuerySchema,
    params: {},
    answer: searchViewSchema,
    view: searchView,
    table: 'items',
  }),
  status: endpoint({
    path: '/api/v1/status',
    summary: 'Readiness, the books, listeners, brokers, spool, store, gaps',
    query: statusQuerySchema,
    params: {},
    answer: statusViewSchema,
    view: statusView,
    table: 'gaps',
  }),
  alerts: endpoint({
    path: '/api/v1/alerts',
    summary: 'Alerts: what is going on, then what was, newest first; with mean times to detection and recovery',
    query: alertsQuerySchema,
    params: {},
    answer: alertsViewSchema,
    view: async (context, query) => alertsView(context, query),
    table: 'items',
  }),
  alert: endpoint({
    path: '/api/v1/alerts/{id}',
    summary: 'One alert: what changed, its course, an example request, what is folded in, its history',
    query: alertQuerySchema,
    params: { id: 'id of the alert' },
    answer: alertViewSchema,
    view: (context, query) => alertView(context, { id: query.id! }),
    table: 'history',
  }),
  silences: endpoint({
    path: '/api/v1/silences',
    summary: 'What nobody is told of, by whom and until when',
    query: silencesQuerySchema,
    params: {},
    answer: silencesViewSchema,
    view: silencesView,
    table: 'items',
  }),
  rules: endpoint({
    path: '/api/v1/rules',
    summary: 'The rules of alerts as they are in force, the budgets, and who changed what',
    query: rulesQuerySchema,
    params: {},
    answer: rulesViewSchema,
    view: (context) => rulesView(context),
    table: 'items',
  }),
  markers: endpoint({
    path: '/api/v1/markers',
    summary: 'What was deployed, moved or changed, newest first',
    query: markersQuerySchema,
    params: {},
    answer: markersViewSchema,
    view: markersView,
    table: 'items',
  }),
  delivery: endpoint({
    path: '/api/v1/delivery',
    summary: 'Where alerts are sent, by which routes, and how that went; secrets are masked',
    query: deliveryQuerySchema,
    params: {},
    answer: deliveryViewSchema,
    view: deliveryView,
    table: 'items',
  }),
};
