/**
 * A TCP proxy in front of a test's Redis, to do to a connection what networks do: swallow it, cut it, or let a request
 * through and lose its reply.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** `pass`; `hole`: swallows both ways and keeps the connection open. */
export type ProxyMode = 'pass' | 'hole';

export class TcpProxy {
  mode: ProxyMode = 'pass';
  port = 0;
  private readonly sockets = new Set<Socket>();
  private doomedRequest: string | undefined;
  private onDropped: (() => void) | undefined;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
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

  /** The next request that contains `text` is executed, and its connection is cut before the reply. Resolves then. */
  async dropReplyTo(text: string): Promise<void> {
    this.doomedRequest = text;
    await new Promise<void>((resolve) => {
      this.onDropped = resolve;
    });
  }

  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** As a host or a firewall that knows the connection no more: RST, which the client meets as an error. */
  resetAll(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const upstream = connect(this.targetPort, '127.0.0.1');
    let isDoomed = false;
    client.on('data', (chunk) => {
      if (this.mode === 'hole') return;
      if (this.doomedRequest !== undefined && chunk.includes(this.doomedRequest)) {
        this.doomedRequest = undefined;
        isDoomed = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (this.mode === 'hole') return;
      if (!isDoomed) {
        client.write(chunk);
        return;
      }
      client.destroy();
      this.onDropped?.();
    });
    this.tie(client, upstream);
    this.tie(upstream, client);
  }

  private tie(one: Socket, other: Socket): void {
    this.sockets.add(one);
    one.on('error', () => other.destroy()); // a reset is what this proxy is for
    one.on('close', () => {
      this.sockets.delete(one);
      other.destroy();
    });
  }
}
