import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts, temporaryDir, until } from './product.ts';

/** The real broker, on a port of its own, that keeps its sessions in a file. */
export class Mosquitto {
  readonly url: string;
  readonly #dir: string;
  readonly #port: number;
  #child: ChildProcess | null = null;

  private constructor(port: number, dir: string) {
    this.#port = port;
    this.#dir = dir;
    this.url = `mqtt://127.0.0.1:${port}`;
  }

  static async start(): Promise<Mosquitto> {
    const [port] = await freePorts(1);
    const dir = temporaryDir();
    mkdirSync(dir, { recursive: true });
    const settings = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${dir}/`,
      'autosave_interval 1',
      'max_queued_messages 1000000',
      ...(process.getuid?.() === 0 ? ['user root'] : []),
    ];
    writeFileSync(join(dir, 'mosquitto.conf'), `${settings.join('\n')}\n`);
    const broker = new Mosquitto(port!, dir);
    await broker.up();
    return broker;
  }

  async up(): Promise<void> {
    this.#child = spawn('mosquitto', ['-c', join(this.#dir, 'mosquitto.conf')], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    await until('mosquitto listens', () => this.#listens(), 10_000, 20);
  }

  /** SIGTERM: it writes down its sessions first; SIGKILL: it does not. */
  async down(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child) return;
    const ended = once(child, 'close');
    child.kill(signal);
    await ended;
  }

  /** All sessions, and what was kept for them, are gone. */
  forget(): void {
    rmSync(join(this.#dir, 'mosquitto.db'), { force: true });
  }

  async stop(): Promise<void> {
    await this.down('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #listens(): Promise<boolean> {
    const socket = connect(this.#port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
