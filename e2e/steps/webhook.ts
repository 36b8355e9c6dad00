import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An Alertmanager body, version 4, as far as a person reads it. */
export interface Message {
  status: 'firing' | 'resolved';
  alerts: { labels: Record<string, string>; annotations: Record<string, string>; generatorURL: string }[];
  /** as it came, with every link in it */
  text: string;
}

/** Where messages of alerts arrive: the test's own. */
export async function receiveMessages(): Promise<{ url: string; messages: Message[]; close(): Promise<void> }> {
  const messages: Message[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      messages.push({ ...(JSON.parse(text) as Omit<Message, 'text'>), text });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    messages,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
