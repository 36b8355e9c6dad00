import { once } from 'node:events';
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What everybody meets who asks now: nothing wrong; the request arrives and its answer is cut in the middle; the request itself is;
 * 503; nobody answers, until this is over and the connections are gone; nobody answers, ever; nobody listens.
 */
export type Fault = 'pass' | 'cut-answer' | 'cut-request' | 'busy' | 'hang' | 'silent' | 'refuse';

/** Stands in front of a real server, on a loopback port. */
export class FaultProxy {
  /** how many requests met what */
  readonly met: Partial<Record<Fault, number>> = {};
  readonly #server: Server;
  readonly #toPort: number;
  readonly #random: () => number;
  readonly #agent = new Agent({ keepAlive: true });
  #fault: Fault = 'pass';
  #port = 0;

  private constructor(toPort: number, random: () => number) {
    this.#toPort = toPort;
    this.#random = random;
    this.#server = createServer((incoming, answer) => void this.#meet(incoming, answer));
  }

  static async start(toPort: number, random: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(toPort, random);
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  async set(fault: Fault): Promise<void> {
    const before = this.#fault;
    this.#fault = fault;
    if (before === 'hang') this.#server.closeAllConnections();
    if (before === 'refuse' && fault !== 'refuse') await this.#listen();
    if (fault === 'refuse' && before !== 'refuse') await this.#close();
  }

  async stop(): Promise<void> {
    if (this.#fault !== 'refuse') await this.#close();
    this.#agent.destroy();
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #close(): Promise<unknown> {
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    return closed;
  }

  async #meet(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const fault = this.#fault;
    if (fault === 'pass') {
      this.#count(fault);
      const onwards = this.#onwards(incoming, answer);
      // as it comes: who is measured through us is not held up
      incoming.pipe(onwards);
      incoming.on('close', () => {
        if (!incoming.complete) onwards.destroy();
      });
      passBack(onwards, answer);
      return;
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return; // who sent it gave up
    }
    const body = Buffer.concat(chunks);
    this.#count(fault);
    if (fault === 'hang' || fault === 'silent') return;
    if (fault === 'busy') {
      answer.writeHead(503, { 'content-type': 'text/plain' }).end('not now');
      return;
    }
    if (fault === 'cut-request') {
      // half a request is a connection that nobody can use again
      const onwards = this.#onwards(incoming, answer, false);
      onwards.write(body.subarray(0, Math.floor(body.length * this.#random())), () => {
        onwards.destroy();
        answer.destroy();
      });
      return;
    }
    const onwards = this.#onwards(incoming, answer);
    if (fault === 'cut-answer')
      onwards.on('response', (real) => {
        real.resume();
        const words = `HTTP/1.1 ${real.statusCode} ${real.statusMessage}\r\n`;
        answer.socket?.write(words.slice(0, Math.floor(words.length * this.#random())), () => answer.destroy());
      });
    else passBack(onwards, answer);
    onwards.end(body);
  }

  #count(fault: Fault): void {
    this.met[fault] = (this.met[fault] ?? 0) + 1;
  }

  #onwards(incoming: IncomingMessage, answer: ServerResponse, agent: Agent | false = this.#agent): ClientRequest {
    const { method, url: path, headers } = incoming;
    const onwards = request({ host: '127.0.0.1', port: this.#toPort, method, path, headers, agent });
    onwards.on('error', () => answer.destroy());
    return onwards;
  }
}

function passBack(onwards: ClientRequest, answer: ServerResponse): void {
  onwards.on('response', (real) => {
    answer.writeHead(real.statusCode!, real.headers);
    real.pipe(answer);
  });
}
