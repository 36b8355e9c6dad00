// A TCP proxy that keeps every byte back for as long as its distance takes, in both directions and in order.

import type { AddressInfo } from 'node:net';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import type { Random } from './random.ts';

/** Timers have a grain of a millisecond and come this late on average (measured on Node 24). */
const TIMER_LATE_MS = 0.3;
/** So what is due within this is let go now: errors stay under a millisecond and average out. */
const TIMER_SLACK_MS = 0.8;
/** Beyond this the sender is paused: a slow receiver must not grow our memory. */
const MAX_HELD_BYTES = 1024 * 1024;
/** Shares of the delay: queues on the way only ever add, so jitter does too. */
const JITTER_SHARE = 0.02;

export interface DelayProxyOptions {
  targetHost: string;
  targetPort: number;
  oneWayMs: number;
  random: Random;
}

export interface DelayProxy {
  port: number;
  setOneWayMs(ms: number): void;
  close(): Promise<void>;
}

interface Line {
  oneWayMs: number;
  random: Random;
}

export async function startDelayProxy(options: DelayProxyOptions): Promise<DelayProxy> {
  const line: Line = { oneWayMs: options.oneWayMs, random: options.random };
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = netConnect({ host: options.targetHost, port: options.targetPort, noDelay: true });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      // A refused or broken connection shows as a close, which the other side is told after the delay.
      socket.on('error', () => {});
    }
    carry(near, far, line);
    carry(far, near, line);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    setOneWayMs: (ms) => {
      line.oneWayMs = ms;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

interface Held {
  dueMs: number;
  chunk: Buffer | 'end' | 'close';
}

function carry(from: Socket, to: Socket, line: Line): void {
  const queue: Held[] = [];
  let heldBytes = 0;
  let lastDueMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const hold = (chunk: Held['chunk']) => {
    const delayMs = line.oneWayMs * (1 + JITTER_SHARE * line.random() ** 3);
    // Never before the one ahead of it: TCP keeps order, whatever the jitter says.
    lastDueMs = Math.max(lastDueMs, performance.now() + delayMs);
    queue.push({ dueMs: lastDueMs, chunk });
    if (timer) return;
    if (lastDueMs - performance.now() <= TIMER_SLACK_MS) release();
    else wait();
  };
  const wait = () => {
    const next = queue[0];
    if (!next) return;
    timer = setTimeout(release, Math.max(0, Math.round(next.dueMs - performance.now() - TIMER_LATE_MS)));
  };
  const release = () => {
    timer = undefined;
    const nowMs = performance.now();
    while (queue.length > 0 && (queue[0] as Held).dueMs - nowMs <= TIMER_SLACK_MS) {
      const { chunk } = queue.shift() as Held;
      if (chunk === 'end') to.end();
      else if (chunk === 'close') to.destroy();
      else {
        heldBytes -= chunk.length;
        if (to.writable) to.write(chunk);
        if (from.isPaused() && heldBytes < MAX_HELD_BYTES / 2 && !to.writableNeedDrain) from.resume();
      }
    }
    wait();
  };

  from.on('data', (chunk: Buffer) => {
    heldBytes += chunk.length;
    hold(chunk);
    if (heldBytes > MAX_HELD_BYTES || to.writableNeedDrain) from.pause();
  });
  from.once('end', () => hold('end'));
  from.once('close', () => hold('close'));
  to.on('drain', () => from.resume());
  to.once('close', () => {
    clearTimeout(timer);
    queue.length = 0;
    heldBytes = 0;
  });
}
