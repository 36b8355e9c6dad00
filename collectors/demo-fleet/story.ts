// The story of design.md section 14, as data: which scene is on at which second. Everything else asks `storyAt`.

export const LOOP_SECONDS = 1200;

export type SceneId =
  | 'move-to-ashburn'
  | 'pi-sf-silent'
  | 'sim-debug-unheard'
  | 'cold-chain-door-silent'
  | 'carrier-detour'
  | 'mini-1-hot'
  | 'spare-takes-over'
  | 'wafer-sf-clock-step';

export interface Scene {
  id: SceneId;
  fromSeconds: number;
  untilSeconds: number;
  /** What the people of the story would say about it. */
  says: string;
}

export const SCENES: readonly Scene[] = [
  {
    id: 'move-to-ashburn',
    fromSeconds: 90,
    untilSeconds: 900,
    says: 'snapshot v42 moves factory-events from booth-hannover to site-ashburn; redeployed in Hannover at 900',
  },
  { id: 'pi-sf-silent', fromSeconds: 150, untilSeconds: 1000, says: 'pi-sf is unplugged, its Will fires' },
  {
    id: 'sim-debug-unheard',
    fromSeconds: 210,
    untilSeconds: 1000,
    says: 'worker-ashburn, the only consumer of factory/sf/sim/debug, unsubscribes',
  },
  {
    id: 'cold-chain-door-silent',
    fromSeconds: 240,
    untilSeconds: 1000,
    says: 'biomed/hannover/cold-chain/door falls silent while its device lives on',
  },
  {
    id: 'carrier-detour',
    fromSeconds: 300,
    untilSeconds: 1000,
    says: 'the carrier path San Francisco - Funabashi gets 4.7 ms longer, there and back',
  },
  { id: 'mini-1-hot', fromSeconds: 420, untilSeconds: 1000, says: 'mini-1-funabashi runs hot, its work gets slower' },
  {
    id: 'spare-takes-over',
    fromSeconds: 480,
    untilSeconds: 1000,
    says: 'mini-3-funabashi takes over local-llm from mini-1-funabashi',
  },
  { id: 'wafer-sf-clock-step', fromSeconds: 640, untilSeconds: 1000, says: 'the clock of wafer-sf steps by +38 ms' },
];

export const WAFER_CLOCK_STEP_MS = 38;
export const CARRIER_DETOUR_MS = 4.7;

export interface StoryState {
  loop: number;
  /** Second within the loop, 0 to 1200. */
  second: number;
  scenes: ReadonlySet<SceneId>;
  factoryEvents: { machine: 'booth-hannover' | 'site-ashburn'; version: string };
  localLlmOn: 'mini-1-funabashi' | 'mini-3-funabashi';
}

/** The state of the world so many seconds into the story; `only` keeps the named scenes and leaves out the others. */
export function storyAt(seconds: number, only?: readonly string[]): StoryState {
  const loop = Math.floor(seconds / LOOP_SECONDS);
  const second = seconds - loop * LOOP_SECONDS;
  const told = SCENES.filter((scene) => !only || only.includes(scene.id));
  const on = told.filter((scene) => scene.fromSeconds <= second && second < scene.untilSeconds);
  const scenes = new Set(on.map((scene) => scene.id));
  const move = told.find((scene) => scene.id === 'move-to-ashburn');
  return {
    loop,
    second,
    scenes,
    factoryEvents: {
      machine: scenes.has('move-to-ashburn') ? 'site-ashburn' : 'booth-hannover',
      version: factoryEventsVersion(loop, second, move),
    },
    localLlmOn: scenes.has('spare-takes-over') ? 'mini-3-funabashi' : 'mini-1-funabashi',
  };
}

// Versions only ever go up: v41 at home, v42 in Ashburn, v43 home again, and the next loop goes on from v43.
function factoryEventsVersion(loop: number, second: number, move: Scene | undefined): string {
  if (!move) return 'v41';
  const deploys = loop * 2 + (second >= move.fromSeconds ? 1 : 0) + (second >= move.untilSeconds ? 1 : 0);
  return `v${41 + deploys}`;
}

export interface StoryTime {
  startedMs: number;
  startAtSeconds: number;
  speed: number;
}

/** Seconds into the story; `speed` shortens the scenes, never the latencies. */
export function storySeconds(time: StoryTime, nowMs: number): number {
  return time.startAtSeconds + ((nowMs - time.startedMs) / 1000) * time.speed;
}
