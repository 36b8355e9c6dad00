import { accessSync, constants, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import mqtt from 'mqtt';
import type { BrokerConnection, Listen } from '#lib/config.ts';
import { lookAtSpool, spoolIsInUse } from '#lib/spool/look.ts';
import { type Look, lookAtStore } from '#lib/store/look.ts';
import { withoutPassword } from '../mqtt/connect.ts';
import { command, say, settings } from './command.ts';

// Looks at everything a start depends on and changes none of it. Exit code 1 when something is wrong.

const brokerWithinMs = 5_000;

command(async (argv) => {
  const config = settings(argv);
  const file =
    config.file === null
      ? 'No hopscope.yaml: everything is as built in.'
      : `The settings in ${config.file} are understood.`;
  const looks: Look[] = [{ wrong: false, sentence: file }, ...lookAtFolder(config.dataDir)];
  const running = spoolIsInUse(config.dataDir);
  if (config.role !== 'web') looks.push(...lookAtSpool(config.dataDir));
  looks.push(...(await lookAtStore(config.store)));
  const listeners: [string, Listen | null][] = [
    ['pages', config.web],
    ['OTLP/HTTP', config.otlp],
    ['OTLP/gRPC', config.otlpGrpc],
    ['MQTT broker', config.broker],
  ];
  for (const [name, listen] of listeners) if (listen) looks.push(await lookAtPort(name, listen, running));
  looks.push(...(await Promise.all(config.brokers.map(lookAtBroker))));
  for (const { wrong, sentence } of looks) say(`${wrong ? 'WRONG' : 'ok   '}  ${sentence}`);
  const wrong = looks.filter((look) => look.wrong).length;
  say(wrong === 0 ? 'Nothing is wrong.' : `${wrong} of ${looks.length} things are wrong.`);
  return wrong === 0 ? 0 : 1;
});

function lookAtFolder(dir: string): Look[] {
  if (!existsSync(dir)) return [];
  try {
    accessSync(dir, constants.W_OK | constants.R_OK | constants.X_OK);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [
      {
        wrong: true,
        sentence: `The data folder ${dir} cannot be written (${code}) (setting: --data or HOPSCOPE_DATA).`,
      },
    ];
  }
}

/** A port that our own running product has taken is as it should be. */
function lookAtPort(name: string, { host, port }: Listen, running: boolean): Promise<Look> {
  const at = `${host}:${port}`;
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      if (taken && running)
        resolve({ wrong: false, sentence: `${at} for ${name} is taken, by the running Hopscope it seems.` });
      else
        resolve({
          wrong: true,
          sentence: `${at} for ${name} cannot be listened on: ${taken ? 'it is taken' : error.message}.`,
        });
    });
    server.listen(port, host, () =>
      server.close(() => resolve({ wrong: false, sentence: `${at} for ${name} is free.` })),
    );
  });
}

/** Says hello as a stranger: our session with it is not touched. */
async function lookAtBroker({ name, url }: BrokerConnection): Promise<Look> {
  const client = mqtt.connect(url, {
    reconnectPeriod: 0,
    connectTimeout: brokerWithinMs,
    clean: true,
    protocolVersion: 5,
  });
  const at = `The broker ${name} at ${withoutPassword(url)}`;
  try {
    return await new Promise<Look>((resolve) => {
      client.once('connect', () => resolve({ wrong: false, sentence: `${at} lets us in.` }));
      client.once('error', (error) =>
        resolve({ wrong: true, sentence: `${at} does not let us in: ${error.message}.` }),
      );
      client.once('close', () => resolve({ wrong: true, sentence: `${at} hung up or is not there.` }));
    });
  } finally {
    client.end(true);
  }
}
