// Who stands where: the five sites, the 26 machines, and what usually runs on them. Pure data.

export type SiteId = 'hannover' | 'dublin' | 'ashburn' | 'san-francisco' | 'funabashi';

/** One way to Dublin, where the broker stands: about 1.5 times the light in the fibre, as carriers deliver it. */
export const ONE_WAY_TO_DUBLIN_MS: Record<SiteId, number> = {
  hannover: 9.6,
  dublin: 0.15,
  ashburn: 40.4,
  'san-francisco': 58,
  funabashi: 66.8,
};

/** Site pairs that talk HTTP without passing Dublin. */
const ONE_WAY_DIRECT_MS: Partial<Record<string, number>> = { 'san-francisco>funabashi': 63.3 };

export function oneWayMs(from: SiteId, to: SiteId): number {
  if (from === to) return 0.15;
  const direct = ONE_WAY_DIRECT_MS[`${from}>${to}`] ?? ONE_WAY_DIRECT_MS[`${to}>${from}`];
  return direct ?? Math.max(ONE_WAY_TO_DUBLIN_MS[from], ONE_WAY_TO_DUBLIN_MS[to]);
}

export interface MachineSpec {
  name: string;
  site: SiteId;
  /** The first one speaks for the machine in its metrics. */
  services: readonly string[];
  /** 0..1, what CPU and memory wander around. */
  cpu: number;
  memory: number;
  /** A line of its own to the broker, where the site's is not used. */
  oneWayToBrokerMs?: number;
  /** Left out: seeded between -900 and +900. */
  clockOffsetMs?: number;
  /** One-way talkers leave the echo unanswered. */
  answersEcho?: boolean;
}

export const MACHINES: readonly MachineSpec[] = [
  { name: 'rio-hannover-1', site: 'hannover', services: ['line-button', 'rio-io'], cpu: 0.18, memory: 0.41 },
  { name: 'rio-hannover-2', site: 'hannover', services: ['line-button', 'rio-io'], cpu: 0.16, memory: 0.4 },
  { name: 'andon-hannover', site: 'hannover', services: ['andon'], cpu: 0.07, memory: 0.28 },
  { name: 'kiosk-hannover', site: 'hannover', services: ['agent-console'], cpu: 0.23, memory: 0.52 },
  { name: 'pi-hannover', site: 'hannover', services: ['cold-chain-sensor'], cpu: 0.31, memory: 0.47 },
  { name: 'booth-hannover', site: 'hannover', services: ['booth-bridge'], cpu: 0.12, memory: 0.31 },

  { name: 'broker-dublin', site: 'dublin', services: ['mqtt-broker'], cpu: 0.34, memory: 0.46 },
  { name: 'gateway-dublin', site: 'dublin', services: ['mcp-gateway'], cpu: 0.19, memory: 0.38 },
  {
    name: 'worker-dublin',
    site: 'dublin',
    services: ['historian', 'sim-worker', 'cold-chain'],
    cpu: 0.42,
    memory: 0.61,
  },
  { name: 'tables-dublin', site: 'dublin', services: ['tables-mirror'], cpu: 0.27, memory: 0.66 },

  { name: 'site-ashburn', site: 'ashburn', services: ['site-agent'], cpu: 0.38, memory: 0.57 },
  { name: 'mcp-ashburn', site: 'ashburn', services: ['mcp-server'], cpu: 0.29, memory: 0.49 },
  { name: 'erp-ashburn', site: 'ashburn', services: ['erp'], cpu: 0.14, memory: 0.72 },
  { name: 'worker-ashburn', site: 'ashburn', services: ['sim-worker'], cpu: 0.22, memory: 0.44 },
  { name: 'notify-ashburn', site: 'ashburn', services: ['notifier'], cpu: 0.06, memory: 0.33 },

  { name: 'sim-sf', site: 'san-francisco', services: ['sim-engine'], cpu: 0.63, memory: 0.58 },
  {
    name: 'wafer-sf',
    site: 'san-francisco',
    services: ['wafer-station'],
    cpu: 0.36,
    memory: 0.42,
    oneWayToBrokerMs: 52.6,
    answersEcho: false,
  },
  { name: 'rio-sf', site: 'san-francisco', services: ['rio-io'], cpu: 0.17, memory: 0.39 },
  { name: 'kiosk-sf', site: 'san-francisco', services: ['agent-console'], cpu: 0.21, memory: 0.5 },
  { name: 'pi-sf', site: 'san-francisco', services: ['pi-io'], cpu: 0.28, memory: 0.45 },

  { name: 'mini-1-funabashi', site: 'funabashi', services: ['local-llm'], cpu: 0.64, memory: 0.74 },
  {
    name: 'mini-2-funabashi',
    site: 'funabashi',
    services: ['questdb-handler'],
    cpu: 0.44,
    memory: 0.68,
    clockOffsetMs: 41.1,
  },
  { name: 'mini-3-funabashi', site: 'funabashi', services: ['questdb-handler', 'local-llm'], cpu: 0.09, memory: 0.62 },
  { name: 'camera-funabashi', site: 'funabashi', services: ['camera', 'local-llm'], cpu: 0.55, memory: 0.49 },
  { name: 'pi-funabashi', site: 'funabashi', services: ['pi-io'], cpu: 0.33, memory: 0.46 },
  { name: 'andon-funabashi', site: 'funabashi', services: ['andon'], cpu: 0.08, memory: 0.27 },
];
