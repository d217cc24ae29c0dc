/**
 * A real redis-server for a test file: on a private port, with a folder of its own, emptied before each test and stopped
 * after the last. A test that leaves a connection open fails its file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';

export class TestRedis {
  private server: ChildProcess | undefined;
  private folder = '';
  private readonly open = new Set<Redis>();
  private admin: Redis | undefined;
  port = 0;

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** A plain connection, for looking and for setting up; closed after the test. */
  connect(): Redis {
    const redis = new Redis(this.url);
    this.open.add(redis);
    return redis;
  }

  async start(extra: readonly string[] = []): Promise<void> {
    this.port = this.port === 0 ? await freePort() : this.port;
    if (this.folder === '') this.folder = mkdtempSync(join(tmpdir(), 'tsq-redis-'));
    const args = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.folder,
      '--save',
      '',
      ...extra,
    ];
    this.server = spawn('redis-server', args, { stdio: 'ignore' });
    this.admin = new Redis(this.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    this.admin.on('error', () => undefined); // refused until the server listens: that is what we wait for
    await this.admin.ping();
  }

  /** `kill -9`, by its own pid; `start` brings it back on the same port. */
  async kill(): Promise<void> {
    this.admin?.disconnect();
    const server = this.server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await gone;
  }

  async empty(): Promise<void> {
    await this.admin?.flushall();
  }

  closeConnections(): void {
    for (const redis of this.open) redis.disconnect();
    this.open.clear();
  }

  /** Fails when somebody but us is still connected. */
  async expectNobodyConnected(): Promise<void> {
    await eventually(async () => {
      const list = String(await this.admin?.client('LIST'));
      const others = list
        .trim()
        .split('\n')
        .filter((line) => !line.includes('cmd=client'));
      if (others.length > 0) throw new Error(`connections left open:\n${others.join('\n')}`);
    });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function useRedis(extra: readonly string[] = []): TestRedis {
  const redis = new TestRedis();
  beforeAll(() => redis.start(extra));
  beforeEach(() => redis.empty());
  afterEach(() => redis.closeConnections());
  afterAll(async () => {
    try {
      await redis.expectNobodyConnected();
    } finally {
      await redis.stop();
    }
  });
  return redis;
}

/** Outside of the range from which the kernel takes the ports of outgoing connections: one that is free now stays so. */
const lowestPort = 10_240;
const highestPort = 32_000;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
