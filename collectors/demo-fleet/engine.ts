// Starts the world, lets the flows loose in it, and turns the pages of the story.

import { deployOf, tell } from './deploy-markers.ts';
import { startBackground } from './flows/background.ts';
import { startButtonPress } from './flows/button-press.ts';
import { startCameraSnapshot } from './flows/camera-snapshot.ts';
import { startOrderStatus } from './flows/order-status.ts';
import { startQueryHistory } from './flows/query-history.ts';
import { startSimSync } from './flows/sim-sync.ts';
import { startWaferInspect } from './flows/wafer-inspect.ts';
import { startWaferOrder } from './flows/wafer-order.ts';
import { type StoryState, storyAt, storySeconds, WAFER_CLOCK_STEP_MS } from './story.ts';
import { World } from './world.ts';

const TURN_PAGES_EVERY_MS = 250;
const FIRST_METRICS_MS = 6_000;
const HOT_CPU = 0.91;
const HOT_MEMORY = 0.83;
const SPARE_AT_WORK_CPU = 0.58;

export interface DemoFleetOptions {
  /** mqtt://host:port of broker-dublin */
  broker: string;
  /** http://host:port of the OTLP receiver */
  otlp: string;
  /** http://host:port of the pages, to tell of deploys; left out: nobody is told */
  web?: string | undefined;
  seed?: number;
  /** Shortens the scenes, never the latencies. */
  speed?: number;
  startAtSeconds?: number;
  /** Only these scenes of story.ts are played; left out: all. */
  scenes?: readonly string[];
}

export interface DemoFleet {
  stop(): Promise<void>;
  /** How far this device's clock is wrong at this moment. */
  clockOffsetNanos(device: string): bigint;
  jumpTo(seconds: number): void;
}

export async function startDemoFleet(options: DemoFleetOptions): Promise<DemoFleet> {
  const { seed = 42, speed = 1, startAtSeconds = 0, scenes } = options;
  let time = { startedMs: performance.now(), startAtSeconds, speed };
  const now = () => storyAt(storySeconds(time, performance.now()), scenes);

  const world = await World.build({ brokerUrl: options.broker, otlpUrl: options.otlp, seed }, now());
  world.onScene((state) => setTheMachines(world, state));
  unplugPiOnceKnown(world);
  startButtonPress(world);
  await startQueryHistory(world);
  await startOrderStatus(world);
  await startWaferInspect(world);
  startWaferOrder(world);
  startCameraSnapshot(world);
  startSimSync(world);
  startBackground(world);

  const ended = new AbortController();
  if (options.web) tellOfDeploys(world, options.web, speed, ended.signal);

  const turnPages = () => {
    const state = now();
    if (signature(state) !== signature(world.state)) world.enter(state);
  };
  const pages = setInterval(turnPages, TURN_PAGES_EVERY_MS);

  return {
    stop: async () => {
      clearInterval(pages);
      ended.abort();
      await world.stop();
    },
    clockOffsetNanos: (device) => world.machine(device).clock.offsetNanos(),
    jumpTo: (seconds) => {
      time = { startedMs: performance.now(), startAtSeconds: seconds, speed };
      turnPages();
    },
  };
}

/** Each deploy once, also the one that the story was entered after. */
function tellOfDeploys(world: World, web: string, speed: number, ended: AbortSignal): void {
  const startedMs = Date.now();
  const told = new Set<string>();
  world.onScene((state) => {
    const marker = deployOf(state, startedMs, speed, Date.now());
    if (!marker || told.has(marker.id)) return;
    told.add(marker.id);
    void tell(web, marker, ended);
  });
}

function setTheMachines(world: World, state: StoryState): void {
  const { scenes } = state;
  const mini1 = world.machine('mini-1-funabashi');
  mini1.cpu.setHome(scenes.has('mini-1-hot') ? HOT_CPU : mini1.spec.cpu);
  mini1.memory.setHome(scenes.has('mini-1-hot') ? HOT_MEMORY : mini1.spec.memory);
  const mini3 = world.machine('mini-3-funabashi');
  mini3.cpu.setHome(scenes.has('spare-takes-over') ? SPARE_AT_WORK_CPU : mini3.spec.cpu);

  world.machine('wafer-sf').clock.setStepMs(scenes.has('wafer-sf-clock-step') ? WAFER_CLOCK_STEP_MS : 0);
}

/** Whoever falls silent must have been heard before, also when the story is entered in the middle. */
function unplugPiOnceKnown(world: World): void {
  const pi = world.machine('pi-sf');
  world.onSettled(() =>
    world.after(FIRST_METRICS_MS, () =>
      world.onScene(({ scenes }) => {
        if (scenes.has('pi-sf-silent')) pi.powerOff();
        else pi.powerOn();
      }),
    ),
  );
}

function signature(state: StoryState): string {
  return [state.loop, state.factoryEvents.version, ...state.scenes].join();
}
