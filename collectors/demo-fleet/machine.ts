// A running machine: its wrong clock, its line to the broker, its services, and what it says about itself.

import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { DeviceClock } from './device-clock.ts';
import { startHostMetrics, WanderingLoad } from './host-metrics.ts';
import type { MachineSpec } from './machines.ts';
import { type Message, MqttLink } from './mqtt-link.ts';
import { withDeadline } from './pause.ts';
import { between, seededRandom } from './random.ts';
import { Service } from './service.ts';

const HEARTBEAT_EVERY_MS = 10_000;
const REPORT_EVERY_MS = 2_000;
const VERSION = '3.4.1';

export interface MachineOptions {
  spec: MachineSpec;
  seed: number;
  brokerPort: number;
  otlpUrl: string;
  /** Machines start one after the other, so that 26 of them do not export in the same instant. */
  startDelayMs: number;
}

export class Machine {
  readonly spec: MachineSpec;
  readonly name: string;
  readonly clock: DeviceClock;
  readonly link: MqttLink;
  readonly cpu: WanderingLoad;
  readonly memory: WanderingLoad;
  readonly agent = new Agent({ keepAlive: true });
  /** A second connection, to a broker of the own site. */
  bridge: MqttLink | undefined;
  readonly #options: MachineOptions;
  readonly #services = new Map<string, Service>();
  readonly #retired = new Set<Promise<void>>();
  readonly #timers: NodeJS.Timeout[] = [];
  #metrics: { stop(): Promise<void> } | undefined;
  #isOn = true;
  #heartbeats = 0;

  constructor(options: MachineOptions) {
    const { spec, seed, brokerPort } = options;
    this.#options = options;
    this.spec = spec;
    this.name = spec.name;
    const random = seededRandom(seed, `clock of ${spec.name}`);
    const offsetMs = spec.clockOffsetMs ?? between(random, -900, 900);
    this.clock = new DeviceClock({ offsetMs, driftPpm: between(random, -20, 20) });
    this.cpu = new WanderingLoad(spec.cpu, seededRandom(seed, `cpu of ${spec.name}`));
    this.memory = new WanderingLoad(spec.memory, seededRandom(seed, `memory of ${spec.name}`));
    this.link = new MqttLink({
      port: brokerPort,
      clientId: spec.name,
      brokerName: 'broker-dublin',
      clock: this.clock,
      will: { topic: this.#topic('status'), payload: 'offline' },
      onConnect: () => {
        this.link.publish(this.#topic('status'), 'online', { qos: 1, retain: true });
        this.#beat();
      },
    });
    for (const name of spec.services) this.deploy(name, VERSION);
    if (spec.answersEcho !== false) this.link.subscribe(this.#topic('echo'), (message) => this.#answerEcho(message));
    this.#timers.push(setTimeout(() => this.#start(), options.startDelayMs));
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  get isReady(): boolean {
    return this.link.isConnected && this.bridge?.isConnected !== false;
  }

  service(name: string): Service {
    const service = this.#services.get(name);
    if (!service) throw new Error(`${this.name} has no service ${name}; machines.ts lists what runs there`);
    return service;
  }

  /** A new version is a new process: its own resource, its own tracer provider. */
  deploy(name: string, version: string): Service {
    this.remove(name);
    const service = new Service({
      name,
      version,
      hostName: this.name,
      hostId: createHash('sha256').update(`hopscope demo ${this.name}`).digest('hex').slice(0, 32),
      clock: this.clock,
      otlpUrl: this.#options.otlpUrl,
      agent: this.agent,
    });
    this.#services.set(name, service);
    return service;
  }

  remove(name: string): void {
    const service = this.#services.get(name);
    this.#services.delete(name);
    if (!service) return;
    // What it still has in hand may end first.
    const timer = setTimeout(() => {
      const stopping = service.stop().finally(() => this.#retired.delete(stopping));
      this.#retired.add(stopping);
    }, 3_000);
    timer.unref();
  }

  powerOff(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.link.unplug();
    this.bridge?.unplug();
  }

  powerOn(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.link.plugIn();
    this.bridge?.plugIn();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const goodbye = new Promise<void>((resolve) => {
      this.link.publish(this.#topic('status'), 'offline', { qos: 1, retain: true }, () => resolve());
    });
    const links = goodbye.then(() => Promise.all([this.link.leave(), this.bridge?.leave()]));
    const services = [...this.#services.values()].map((service) => service.stop());
    await Promise.all([
      withDeadline(links, 900),
      withDeadline(Promise.all([...services, ...this.#retired, this.#metrics?.stop()]), 1_500),
    ]);
    this.link.unplug();
    this.bridge?.unplug();
    this.agent.destroy();
  }

  #start(): void {
    if (this.#isOn) {
      this.link.plugIn();
      this.bridge?.plugIn();
    }
    const [main = ''] = this.spec.services;
    this.#metrics = startHostMetrics({
      resource: this.service(main).resource,
      otlpUrl: this.#options.otlpUrl,
      agent: this.agent,
      cpu: this.cpu,
      memory: this.memory,
      isPoweredOn: () => this.#isOn,
    });
    this.#timers.push(
      setInterval(() => this.#beat(), HEARTBEAT_EVERY_MS),
      setInterval(() => this.#report(), REPORT_EVERY_MS),
    );
  }

  #topic(what: string): string {
    return `hopscope/v1/${this.spec.name}/${what}`;
  }

  #beat(): void {
    const heartbeat = {
      v: 1,
      sentUnixNano: String(this.clock.nowNanos()),
      seq: this.#heartbeats++,
      intervalMs: HEARTBEAT_EVERY_MS,
      cpu: round(this.cpu.value),
      memory: round(this.memory.value),
    };
    this.link.publish(this.#topic('heartbeat'), JSON.stringify(heartbeat), { qos: 0 });
  }

  #answerEcho(message: Message): void {
    const t2 = BigInt(message.receivedAt[0]) * 1_000_000_000n + BigInt(message.receivedAt[1]);
    let echo: { id?: unknown; t1?: unknown };
    try {
      echo = JSON.parse(message.payload.toString());
    } catch {
      return;
    }
    const reply = { id: echo.id, t1: echo.t1, t2: String(t2), t3: String(this.clock.nowNanos()) };
    this.link.publish(this.#topic('echo-reply'), JSON.stringify(reply), { qos: 0 });
  }

  /** The plain JSON that older tools read. */
  #report(): void {
    const site = this.spec.site === 'san-francisco' ? 'sf' : this.spec.site;
    const report = {
      host: this.name,
      time: new Date(Number(this.clock.nowNanos() / 1_000_000n)).toISOString(),
      cpu: round(this.cpu.value),
      memory: round(this.memory.value),
      uptimeSeconds: Math.round(performance.now() / 1000),
      agent: 'hopscope-demo-fleet',
    };
    this.link.publish(`data/${site}/metrics`, JSON.stringify(report), { qos: 0 });
  }
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
