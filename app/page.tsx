import type { Metadata } from 'next';
import { ConnectGuide } from '#components/connect-guide/connect-guide.tsx';
import { FleetBoard } from '#components/fleet-map/fleet-board.tsx';
import { fleetQuerySchema, fleetView } from '#lib/views/fleet-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { type Asked, ask, one } from './_ask.tsx';
import { hopscope } from './_server.ts';

export const metadata: Metadata = { title: { absolute: 'Fleet · Hopscope' } };

/** ?from&to&view=table */
export default async function FleetPage({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const { view, trouble } = await ask((context) => fleetView(context, readQuery(fleetQuerySchema, asked)));
  if (view === null) return trouble;
  if (view.empty) return <ConnectGuide addresses={listeningAddresses()} demo={hopscope().config.demo} />;
  return <FleetBoard view={view} table={one(asked.view) === 'table'} />;
}

/** Where to send things: as the program listens, not as the defaults say. */
function listeningAddresses() {
  const { otlp, otlpGrpc, broker } = hopscope().config;
  const text = (listen: { host: string; port: number } | null) => listen && `${listen.host}:${listen.port}`;
  return { otlp: text(otlp), otlpGrpc: text(otlpGrpc), broker: text(broker) };
}
