// An agent in Hannover asks for history: HTTP to Dublin, HTTP to Ashburn, MQTT through Dublin to Funabashi and back.
// 345 ms of its 2 s, nearly all of it distance.

import { randomBytes } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { postTraced, serveTraced } from '../http-call.ts';
import type { Message } from '../mqtt-link.ts';
import { pause } from '../pause.ts';
import { between } from '../random.ts';
import { newCorrelation, type Work } from '../service.ts';
import type { World } from '../world.ts';

const QUERY = 'data/questdb/query';
const REPLY = 'data/questdb/reply';
const GIVE_UP_MS = 5_000;
const ROWS = 8_640;
const REPLY_BYTES = 5_200;

export async function startQueryHistory(world: World): Promise<void> {
  startQuestdbHandler(world);
  const mcpPort = await startMcpServer(world);
  const gatewayPort = await startGateway(world, mcpPort);
  await startConsole(world, gatewayPort);
}

async function startConsole(world: World, gatewayPort: number): Promise<void> {
  const kiosk = world.machine('kiosk-hannover');
  const gateway = world.machine('gateway-dublin');
  const { port } = await world.way(kiosk, gateway, gatewayPort);
  const console = kiosk.service('agent-console');
  world.every('query history', 0.5, async () => {
    const root = console.start('tools/call query_history', { attributes: { 'mcp.tool.name': 'query_history' } });
    await pause(0.5);
    const call = { port, server: gateway.name, path: '/mcp', body: toolCall(), agent: kiosk.agent };
    if ((await postTraced(root, call)) === undefined) root.fail('no answer');
    await pause(0.1);
    root.end();
  });
}

async function startGateway(world: World, mcpPort: number): Promise<number> {
  const gateway = world.machine('gateway-dublin');
  const mcp = world.machine('mcp-ashburn');
  const { port } = await world.way(gateway, mcp, mcpPort);
  const server = await serveTraced(gateway.service('mcp-gateway'), '/mcp', async (work, body) => {
    await pause(0.4);
    const answer = await postTraced(work, { port, server: mcp.name, path: '/mcp', body, agent: gateway.agent });
    if (answer === undefined) throw new Error('mcp-ashburn did not answer');
    await pause(0.2);
    return answer;
  });
  world.onStop(() => server.close());
  return server.port;
}

async function startMcpServer(world: World): Promise<number> {
  const machine = world.machine('mcp-ashburn');
  const mcp = machine.service('mcp-server');
  const asked = new Map<string, (reply: Message) => void>();

  machine.link.subscribe(REPLY, (message) => {
    asked.get(message.properties.correlationData?.toString('hex') ?? '')?.(message);
  });

  const ask = (work: Work, body: string): Promise<Message> => {
    const correlationData = newCorrelation();
    const key = correlationData.toString('hex');
    return new Promise<Message>((resolve, reject) => {
      const giveUp = setTimeout(() => reject(new Error('timeout')), GIVE_UP_MS);
      asked.set(key, (reply) => {
        clearTimeout(giveUp);
        resolve(reply);
      });
      work.publish({ link: machine.link, topic: QUERY, payload: body, responseTopic: REPLY, correlationData });
    }).finally(() => asked.delete(key));
  };

  const server = await serveTraced(mcp, '/mcp', async (work, body) => {
    await pause(0.9);
    const reply = ask(work, body);
    void auditLog(work);
    const message = await reply;
    const consumer = mcp.process(message);
    await pause(0.5);
    consumer.end();
    return message.payload.toString();
  });
  world.onStop(() => server.close());
  return server.port;
}

/** Off the critical path: the answer does not wait for it. */
async function auditLog(work: Work): Promise<void> {
  await pause(40);
  const audit = work.start('audit log');
  await pause(8.2);
  audit.end();
}

function startQuestdbHandler(world: World): void {
  const machine = world.machine('mini-2-funabashi');
  const handler = machine.service('questdb-handler');
  const random = world.random('questdb');
  const answer = replyBody();
  machine.link.subscribe(QUERY, async (message) => {
    const work = handler.process(message);
    await pause(0.6);
    const select = work.start('SELECT history', {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'questdb',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'history',
        'db.namespace': 'qdb',
        'db.query.text': 'SELECT * FROM history WHERE line = $1 SAMPLE BY 10s',
        'db.response.returned_rows': ROWS,
        'server.address': 'mini-2-funabashi',
        'server.port': 8812,
      },
    });
    await pause(between(random, 20.5, 23));
    select.end();
    await pause(0.8);
    const { responseTopic = REPLY, correlationData } = message.properties;
    work.publish({ link: message.link, topic: responseTopic, payload: answer, correlationData });
    work.end();
  });
  // The hot spare listens along but has never had to answer.
  world.machine('mini-3-funabashi').link.subscribe(QUERY, () => {});
}

function toolCall(): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: randomBytes(4).toString('hex'),
    method: 'tools/call',
    params: { name: 'query_history', arguments: { line: 4, from: 'now-1d', sample: '10s' } },
  });
}

function replyBody(): string {
  const row = { rows: ROWS, format: 'arrow-base64', data: '' };
  row.data = 'QUJD'.repeat(Math.floor((REPLY_BYTES - JSON.stringify(row).length) / 4));
  return JSON.stringify(row);
}
