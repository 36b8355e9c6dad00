import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processorMs } from './processes.ts';
import { freePorts, runProduct, until } from './product.ts';

export interface RestartableOptions {
  dataDir: string;
  /** hopscope.yaml beside the data, '' = none */
  settings?: string;
  /** as HOPSCOPE_STORE; undefined = DuckDB in `dataDir` */
  store?: string;
}

/** The product as a process that may be killed and started again at any moment, on the same ports and data. */
export class Restartable {
  readonly dataDir: string;
  readonly url: string;
  readonly otlp: string;
  readonly mqtt: string;
  /** of every start: how long until OTLP was answered, where it lived that long */
  readonly ingestingAfterMs: number[] = [];
  /** and how much processor time it took until then, which a busy machine does not change much */
  readonly ingestingAfterCpuMs: number[] = [];
  readonly #env: Record<string, string>;
  readonly #args: string[];
  #running: { child: ChildProcess; output: () => string; ended: Promise<number | null> } | null = null;
  #before = '';

  private constructor(options: RestartableOptions, ports: number[]) {
    const [web, otlp, grpc, broker] = ports;
    this.dataDir = options.dataDir;
    this.url = `http://127.0.0.1:${web}`;
    this.otlp = `http://127.0.0.1:${otlp}`;
    this.mqtt = `mqtt://127.0.0.1:${broker}`;
    this.#env = {
      HOPSCOPE_WEB: `127.0.0.1:${web}`,
      HOPSCOPE_OTLP: `127.0.0.1:${otlp}`,
      HOPSCOPE_OTLP_GRPC: `127.0.0.1:${grpc}`,
      HOPSCOPE_BROKER: `127.0.0.1:${broker}`,
      ...(options.store && { HOPSCOPE_STORE: options.store }),
    };
    this.#args = ['--no-demo', '--data', options.dataDir];
  }

  static async on(options: RestartableOptions): Promise<Restartable> {
    const product = new Restartable(options, await freePorts(4));
    mkdirSync(options.dataDir, { recursive: true });
    if (options.settings) {
      const file = join(options.dataDir, 'hopscope.yaml');
      // the broker in it needs no port of its own: the environment says it
      writeFileSync(file, `broker: 1883\n${options.settings}`);
      product.#args.push('--config', file);
    }
    return product;
  }

  get pid(): number {
    return this.#running!.child.pid!;
  }

  output(): string {
    return this.#before + (this.#running?.output() ?? '');
  }

  start(): void {
    this.#running = runProduct(this.#args, this.#env);
    const startedMs = performance.now();
    const { child } = this.#running;
    const look = async (): Promise<void> => {
      while (child.exitCode === null && child.signalCode === null) {
        if (await this.isIngesting()) {
          this.ingestingAfterMs.push(performance.now() - startedMs);
          const cpuMs = processorMs(child.pid!);
          if (cpuMs !== null) this.ingestingAfterCpuMs.push(cpuMs);
          return;
        }
        await new Promise((done) => setTimeout(done, 10));
      }
    };
    void look();
  }

  async isIngesting(): Promise<boolean> {
    const empty = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"resourceSpans":[]}' };
    return (await fetch(`${this.otlp}/v1/traces`, empty).catch(() => null))?.status === 200;
  }

  async ready(): Promise<void> {
    await until(
      'the product is ready',
      async () => {
        if (this.#running!.child.exitCode !== null) throw new Error(`the product ended:\n${this.output()}`);
        return (await fetch(`${this.url}/readyz`).catch(() => null))?.status === 200;
      },
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output()}`);
    });
  }

  /** Nothing of it runs until `resume`. */
  suspend(): void {
    this.#running!.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#running!.child.kill('SIGCONT');
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; answers the exit code */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const running = this.#running;
    if (!running) return null;
    running.child.kill(signal);
    const code = await running.ended;
    this.#before += running.output();
    this.#running = null;
    return code;
  }
}
