import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import type { Config } from '#lib/config.ts';
import type { Stop } from './orderly-stop.ts';

/** 26 machines in a process of their own. */
export function startDemoFleet(config: Config): Stop {
  const broker = config.broker ?? { host: '127.0.0.1', port: 1883 };
  const otlp = config.otlp ?? { host: '127.0.0.1', port: 4318 };
  const child = fork(
    resolve(import.meta.dirname, '../demo-fleet/main.ts'),
    [
      '--broker',
      `mqtt://${broker.host}:${broker.port}`,
      '--otlp',
      `http://${otlp.host}:${otlp.port}`,
      ...(config.web ? ['--web', `http://${config.web.host}:${config.web.port}`] : []),
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2'],
    },
  );
  child.on('exit', (code) => {
    if (code !== 0 && code !== null)
      process.stderr.write(`hopscope: the demo fleet ended with ${code}; the product goes on without it\n`);
  });
  return () => stopChild(child);
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), 3_000);
    child.once('exit', () => {
      clearTimeout(kill);
      done();
    });
    child.kill('SIGTERM');
  });
}
