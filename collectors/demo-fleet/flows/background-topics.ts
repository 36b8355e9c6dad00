// What else flows, as in mockups/topics.png, at about a third of its rates and with its bytes. Pure data.

import type { SceneId, StoryState } from '../story.ts';
import { FRAME, FRAME_BYTES } from './camera-snapshot.ts';
import { STATE } from './sim-sync.ts';

export interface BackgroundTopic {
  topic: string;
  /** Topics with an id in them: `{id}` is filled in with 1 to this many. */
  ids?: number;
  machine: string | ((state: StoryState) => string);
  service: string;
  perSecond: number;
  bytes: number;
  /** Share of the messages that carry a trace; the others are what untraced firmware sends. */
  traced?: number;
  silentDuring?: SceneId;
}

export const BACKGROUND_TOPICS: readonly BackgroundTopic[] = [
  {
    topic: 'factory/hannover/rio/1-{id}/io',
    ids: 12,
    machine: 'rio-hannover-1',
    service: 'rio-io',
    perSecond: 13,
    bytes: 190,
  },
  {
    topic: 'factory/hannover/rio/2-{id}/io',
    ids: 12,
    machine: 'rio-hannover-2',
    service: 'rio-io',
    perSecond: 13,
    bytes: 190,
  },

  { topic: STATE, machine: 'sim-sf', service: 'sim-engine', perSecond: 20, bytes: 260 },
  { topic: 'factory/sf/sim/debug', machine: 'sim-sf', service: 'sim-engine', perSecond: 7.5, bytes: 308, traced: 0.2 },
  {
    topic: 'factory/sf/wafer/telemetry',
    machine: 'wafer-sf',
    service: 'wafer-station',
    perSecond: 13,
    bytes: 220,
    traced: 0.04,
  },
  { topic: 'factory/sf/rio/io', machine: 'rio-sf', service: 'rio-io', perSecond: 16, bytes: 190, traced: 0.03 },
  { topic: 'factory/sf/pi/io', machine: 'pi-sf', service: 'pi-io', perSecond: 8, bytes: 190, traced: 0.06 },
  { topic: 'factory/sf/pi/heartbeat', machine: 'pi-sf', service: 'pi-io', perSecond: 0.1, bytes: 60 },

  {
    topic: 'factory/funabashi/pi/io',
    machine: 'pi-funabashi',
    service: 'pi-io',
    perSecond: 10,
    bytes: 210,
    traced: 0.05,
  },
  {
    topic: 'factory/funabashi/andon/set',
    machine: 'pi-funabashi',
    service: 'pi-io',
    perSecond: 0.4,
    bytes: 120,
    traced: 1,
  },

  { topic: FRAME, machine: 'camera-funabashi', service: 'camera', perSecond: 7.5, bytes: FRAME_BYTES },
  {
    topic: 'vision/funabashi/camera/preview',
    machine: 'camera-funabashi',
    service: 'camera',
    perSecond: 4,
    bytes: 4_100,
    traced: 0.15,
  },
  {
    topic: 'vision/funabashi/detections',
    machine: (state) => state.localLlmOn,
    service: 'local-llm',
    perSecond: 8,
    bytes: 420,
    traced: 0.05,
  },

  {
    topic: 'data/dublin/tables/mirror',
    machine: 'tables-dublin',
    service: 'tables-mirror',
    perSecond: 1.2,
    bytes: 2_400,
    traced: 0.5,
  },

  {
    topic: 'agentic/hannover/kiosk/prompt',
    machine: 'kiosk-hannover',
    service: 'agent-console',
    perSecond: 0.6,
    bytes: 1_800,
    traced: 0.5,
  },
  {
    topic: 'agentic/dublin/gateway/session',
    machine: 'gateway-dublin',
    service: 'mcp-gateway',
    perSecond: 0.6,
    bytes: 900,
    traced: 0.5,
  },
  {
    topic: 'agentic/ashburn/mcp/progress',
    machine: 'mcp-ashburn',
    service: 'mcp-server',
    perSecond: 0.8,
    bytes: 2_600,
    traced: 0.4,
  },

  {
    topic: 'biomed/hannover/cold-chain/temp',
    machine: 'pi-hannover',
    service: 'cold-chain-sensor',
    perSecond: 2,
    bytes: 100,
    traced: 0.25,
  },
  {
    topic: 'biomed/hannover/cold-chain/door',
    machine: 'pi-hannover',
    service: 'cold-chain-sensor',
    perSecond: 0.1,
    bytes: 80,
    traced: 1,
    silentDuring: 'cold-chain-door-silent',
  },
];

export interface BackgroundConsumer {
  filter: string;
  machine: string | ((state: StoryState) => string);
  service: string;
  /** Untraced consumers take their messages and tell no one. */
  traced?: boolean;
  gone?: SceneId;
}

export const BACKGROUND_CONSUMERS: readonly BackgroundConsumer[] = [
  { filter: 'factory/hannover/rio/+/io', machine: (state) => state.factoryEvents.machine, service: 'factory-events' },
  { filter: 'factory/hannover/rio/+/io', machine: 'worker-dublin', service: 'historian' },
  { filter: STATE, machine: 'worker-dublin', service: 'historian' },
  {
    filter: 'factory/sf/sim/debug',
    machine: 'worker-ashburn',
    service: 'sim-worker',
    traced: true,
    gone: 'sim-debug-unheard',
  },
  { filter: 'factory/sf/wafer/telemetry', machine: 'worker-dublin', service: 'historian', traced: true },
  { filter: 'factory/sf/rio/io', machine: 'worker-dublin', service: 'historian', traced: true },
  { filter: 'factory/sf/rio/io', machine: 'worker-ashburn', service: 'sim-worker' },
  { filter: 'factory/sf/pi/io', machine: 'worker-dublin', service: 'historian', traced: true },
  { filter: 'factory/sf/pi/heartbeat', machine: 'worker-dublin', service: 'historian' },
  { filter: 'factory/funabashi/pi/io', machine: 'worker-dublin', service: 'historian', traced: true },
  { filter: 'factory/funabashi/andon/set', machine: 'andon-funabashi', service: 'andon', traced: true },
  { filter: 'vision/funabashi/detections', machine: 'worker-dublin', service: 'historian', traced: true },
  { filter: 'vision/funabashi/detections', machine: 'notify-ashburn', service: 'notifier' },
  { filter: 'data/+/metrics', machine: 'worker-dublin', service: 'historian' },
  { filter: 'agentic/hannover/kiosk/prompt', machine: 'gateway-dublin', service: 'mcp-gateway', traced: true },
  { filter: 'agentic/dublin/gateway/session', machine: 'mcp-ashburn', service: 'mcp-server', traced: true },
  { filter: 'agentic/ashburn/mcp/progress', machine: 'kiosk-hannover', service: 'agent-console', traced: true },
  { filter: 'biomed/hannover/cold-chain/temp', machine: 'worker-dublin', service: 'cold-chain', traced: true },
  { filter: 'biomed/hannover/cold-chain/temp', machine: 'notify-ashburn', service: 'notifier', traced: true },
  { filter: 'biomed/hannover/cold-chain/door', machine: 'worker-dublin', service: 'cold-chain', traced: true },
];
