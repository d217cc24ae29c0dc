/**
 * A real redis-server of a test's own: on a private port, with a folder that goes with it. It may be killed and started again,
 * on the same port and folder; what it logged stays in that folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** Below the ports that the kernel gives to connections: a server that is away must find its port free again. */
const lowestPort = 10_000;
const highestPort = 32_000;

export class RedisServer {
  private server: ChildProcess | undefined;
  private ownFolder = '';
  private readonly open = new Set<Redis>();
  /** Keeps trying while the server is away. */
  protected admin: Redis | undefined;
  port = 0;

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Where its files are: log, append-only file, dump. Empty before the first start. */
  get folder(): string {
    return this.ownFolder;
  }

  get pid(): number {
    return this.server?.pid ?? 0;
  }

  get log(): string {
    return readFileSync(join(this.ownFolder, 'redis.log'), 'utf8');
  }

  /** A plain connection, for looking and for setting up; closed by `closeConnections`. */
  connect(): Redis {
    const redis = new Redis(this.url);
    this.open.add(redis);
    return redis;
  }

  /** @param extra flags of redis-server. Without any it keeps nothing on disk. */
  async start(extra: readonly string[] = []): Promise<void> {
    this.port = this.port === 0 ? await freePort() : this.port;
    if (this.ownFolder === '') this.ownFolder = mkdtempSync(join(tmpdir(), 'tsq-redis-'));
    const place = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.ownFolder];
    const files = ['--logfile', join(this.ownFolder, 'redis.log'), '--save', ''];
    const server = spawn('redis-server', [...place, ...files, ...extra], { stdio: 'ignore' });
    this.server = server;
    const admin = new Redis(this.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    admin.on('error', () => undefined); // refused until the server listens: that is what we wait for
    this.admin = admin;
    const failed = new Promise<never>((_, reject) => {
      server.once('error', reject);
      server.once('exit', () => reject(new Error(`redis-server ended instead of starting:\n${this.log}`)));
    });
    try {
      await Promise.race([admin.ping(), failed]);
    } catch (error) {
      admin.disconnect();
      throw error;
    } finally {
      failed.catch(() => undefined); // it ends some day
    }
  }

  /** `kill -9`, by its own pid; `start` brings it back on the same port. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Does not wait until it is gone. */
  killNow(): void {
    this.server?.kill('SIGKILL');
  }

  /** In good order: what it has to write it writes. */
  async terminate(): Promise<void> {
    await this.end('SIGTERM');
  }

  closeConnections(): void {
    for (const redis of this.open) redis.disconnect();
    this.open.clear();
  }

  /** And its folder goes. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.ownFolder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.admin?.disconnect();
    const server = this.server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    server.kill('SIGCONT'); // one that was stopped hears no other
    await gone;
  }
}

/** Free at this moment; chosen at random, so that who asks at the same time is given another. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
