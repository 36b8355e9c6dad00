// What the flows stand on: the machines, the ways between them, the scene that is on, and things done every so often.

import { type DelayProxy, startDelayProxy } from './delay-proxy.ts';
import { startLocalBridge } from './local-bridge.ts';
import { Machine } from './machine.ts';
import { MACHINES, ONE_WAY_TO_DUBLIN_MS, oneWayMs, type SiteId } from './machines.ts';
import { MqttLink } from './mqtt-link.ts';
import { between, type Random, seededRandom } from './random.ts';
import type { StoryState } from './story.ts';

const START_APART_MS = 100;
/** After the last machine has connected its subscriptions still travel. */
const SETTLE_MS = 500;
/** What node:http adds to each direction by itself, so that the sum is the distance of the story. */
const HTTP_COST_MS = 0.6;
const ON_THE_BRIDGE = ['rio-hannover-1', 'rio-hannover-2', 'andon-hannover', 'booth-hannover'];

export interface WorldOptions {
  brokerUrl: string;
  otlpUrl: string;
  seed: number;
}

export class World {
  readonly seed: number;
  readonly #machines = new Map<string, Machine>();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #onScene: ((state: StoryState) => void)[] = [];
  readonly #onSettled: (() => void)[] = [];
  #state: StoryState;
  #stopped = false;
  #settled = false;

  private constructor(seed: number, state: StoryState) {
    this.seed = seed;
    this.#state = state;
  }

  static async build(options: WorldOptions, state: StoryState): Promise<World> {
    const world = new World(options.seed, state);
    const broker = hostAndPort(options.brokerUrl, 1883);
    const otlp = hostAndPort(options.otlpUrl, 4318);
    const brokerPorts = new Map<SiteId, number>();
    const otlpPorts = new Map<SiteId, number>();
    for (const [site, ms] of Object.entries(ONE_WAY_TO_DUBLIN_MS) as [SiteId, number][]) {
      brokerPorts.set(site, (await world.#proxy(`${site} to broker`, broker, ms)).port);
      otlpPorts.set(site, (await world.#proxy(`${site} to otlp`, otlp, ms)).port);
    }
    for (const [i, spec] of MACHINES.entries()) {
      const ownLine = spec.oneWayToBrokerMs;
      const brokerPort = ownLine ? (await world.#proxy(`${spec.name} to broker`, broker, ownLine)).port : undefined;
      const machine = new Machine({
        spec,
        seed: options.seed,
        brokerPort: brokerPort ?? (brokerPorts.get(spec.site) as number),
        otlpUrl: `http://127.0.0.1:${otlpPorts.get(spec.site)}`,
        startDelayMs: i * START_APART_MS,
      });
      world.#machines.set(spec.name, machine);
    }
    await world.#buildBridge();
    world.#waitUntilSettled();
    return world;
  }

  get state(): StoryState {
    return this.#state;
  }

  get machines(): Iterable<Machine> {
    return this.#machines.values();
  }

  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (!machine) throw new Error(`no machine ${name}; machines.ts lists all 26`);
    return machine;
  }

  random(name: string): Random {
    return seededRandom(this.seed, name);
  }

  /** Called now, and again whenever the scene changes. */
  onScene(apply: (state: StoryState) => void): void {
    this.#onScene.push(apply);
    apply(this.#state);
  }

  /** Called once, when all machines are up for the first time. */
  onSettled(act: () => void): void {
    this.#onSettled.push(act);
  }

  enter(state: StoryState): void {
    this.#state = state;
    for (const apply of this.#onScene) apply(state);
  }

  /** About so often, each time a little earlier or later, as people and machines are. */
  every(name: string, perSecond: number, act: () => unknown): void {
    const random = this.random(name);
    const meanMs = 1000 / perSecond;
    const plan = (waitMs: number) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        plan(meanMs * between(random, 0.7, 1.3));
        if (this.#settled) act();
      }, waitMs);
      this.#timers.add(timer);
    };
    plan(meanMs * random());
  }

  after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  /** The port that leads from one machine to a port of another, as far away as it is. */
  async way(from: Machine, to: Machine, port: number): Promise<{ port: number; setDetourMs(ms: number): void }> {
    const ms = Math.max(0, oneWayMs(from.spec.site, to.spec.site) - HTTP_COST_MS);
    const proxy = await this.#proxy(`${from.name} to ${to.name}`, { host: '127.0.0.1', port }, ms);
    return { port: proxy.port, setDetourMs: (detourMs) => proxy.setOneWayMs(ms + detourMs) };
  }

  onStop(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([...this.#machines.values()].map((machine) => machine.stop()));
    await Promise.all(this.#closers.map((close) => close().catch(() => {})));
  }

  /** Nobody acts before all are there: a request into a fleet that is still starting would time out. */
  #waitUntilSettled(): void {
    const look = setInterval(() => {
      const up = [...this.#machines.values()].filter((machine) => machine.isOn);
      if (!up.every((machine) => machine.isReady)) return;
      clearInterval(look);
      this.#timers.delete(look);
      this.after(SETTLE_MS, () => {
        this.#settled = true;
        for (const act of this.#onSettled) act();
      });
    }, 100);
    this.#timers.add(look);
  }

  async #proxy(name: string, target: { host: string; port: number }, ms: number): Promise<DelayProxy> {
    const random = this.random(`jitter ${name}`);
    const proxy = await startDelayProxy({ targetHost: target.host, targetPort: target.port, oneWayMs: ms, random });
    this.#closers.push(() => proxy.close());
    return proxy;
  }

  async #buildBridge(): Promise<void> {
    const bridge = await startLocalBridge();
    this.#closers.push(() => bridge.close());
    for (const name of ON_THE_BRIDGE) {
      const machine = this.machine(name);
      const { clock } = machine;
      machine.bridge = new MqttLink({ port: bridge.port, clientId: name, brokerName: 'booth-hannover', clock });
    }
  }
}

function hostAndPort(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port ? Number(port) : defaultPort };
}
