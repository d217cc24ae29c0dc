/**
 * A TCP proxy in front of a test's Redis, to do to its connections what networks do: swallow them, slow them down, cut them, or
 * let a request through and lose its reply. A mode is that of all its connections, those that come later too.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DelayLine } from './delay-line.js';

/**
 * `pass`. `hole`: swallows both ways and keeps the connection open. `half`: requests go through and replies are swallowed.
 * `refuse`: what is open is cut, and who connects is cut at once.
 */
export type ProxyMode = 'pass' | 'hole' | 'half' | 'refuse';

interface Doom {
  readonly text: string | Buffer;
  /** Requests with the text until the one whose reply is lost. */
  left: number;
  readonly resolve: () => void;
}

export class TcpProxy {
  port = 0;
  /** Each way. */
  delayMs = 0;
  private currentMode: ProxyMode = 'pass';
  private readonly sockets = new Set<Socket>();
  private dooms: Doom[] = [];
  /** Replies that were lost on purpose. */
  dropped = 0;

  private constructor(
    private readonly server: Server,
    private targetPort: number,
  ) {}

  static async before(targetPort: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, targetPort);
    server.on('connection', (client) => proxy.join(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    proxy.port = typeof address === 'object' && address !== null ? address.port : 0;
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  get mode(): ProxyMode {
    return this.currentMode;
  }

  set mode(mode: ProxyMode) {
    this.currentMode = mode;
    if (mode === 'refuse') this.cutAll();
  }

  /**
   * A request that contains `text` is executed, and its connection is cut before the reply. Resolves then.
   * @param arrival the next such request, or the one after, and so on
   */
  async dropReplyTo(text: string | Buffer, arrival = 1): Promise<void> {
    await new Promise<void>((resolve) => {
      this.dooms.push({ text, left: arrival, resolve });
    });
  }

  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** As a host or a firewall that knows the connection no more: RST, which the client meets as an error. */
  resetAll(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** From now on it leads to another server; what is open is cut. */
  retarget(port: number): void {
    this.targetPort = port;
    this.cutAll();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    if (this.mode === 'refuse') {
      client.destroy();
      return;
    }
    const upstream = connect(this.targetPort, '127.0.0.1');
    const delayMs = () => this.delayMs;
    const there = new DelayLine(delayMs, (chunk) => upstream.write(chunk));
    const back = new DelayLine(delayMs, (chunk) => client.write(chunk));
    let doom: Doom | undefined;
    // A stream that lacks some bytes is none: what was swallowed once passes nothing any more, until somebody closes it.
    const lost = { there: false, back: false };
    client.on('data', (chunk) => {
      lost.there ||= this.mode === 'hole';
      if (lost.there) return;
      doom ??= this.doomOf(chunk);
      there.push(chunk);
    });
    upstream.on('data', (chunk) => {
      lost.back ||= this.mode !== 'pass';
      if (lost.back) return;
      if (doom === undefined) {
        back.push(chunk);
        return;
      }
      client.destroy();
      this.dropped += 1;
      doom.resolve();
    });
    this.tie(client, upstream, there);
    this.tie(upstream, client, back);
  }

  private doomOf(chunk: Buffer): Doom | undefined {
    for (const doom of this.dooms) {
      if (!chunk.includes(doom.text)) continue;
      doom.left -= 1;
      if (doom.left > 0) continue;
      this.dooms = this.dooms.filter((other) => other !== doom);
      return doom;
    }
    return undefined;
  }

  private tie(one: Socket, other: Socket, line: DelayLine): void {
    this.sockets.add(one);
    one.on('error', () => other.destroy()); // a reset is what this proxy is for
    one.on('close', () => {
      this.sockets.delete(one);
      line.close();
      other.destroy();
    });
  }
}
