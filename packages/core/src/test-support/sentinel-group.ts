/**
 * A primary, a replica and a sentinel that watches them: three real servers on private ports. One sentinel decides alone here
 * (a quorum of 1); how several agree is Redis' own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisLocation } from '../redis-location.js';
import { eventually } from './eventually.js';
import { freePort, RedisServer } from './redis-server.js';

const master = 'mymaster';

export class SentinelGroup {
  readonly one = new RedisServer();
  readonly other = new RedisServer();
  private readonly folder = mkdtempSync(join(tmpdir(), 'tsq-sentinel-'));
  private sentinel: ChildProcess | undefined;
  private asked: Redis | undefined;
  private port = 0;

  /** Its URL leads nowhere: whoever does not ask the sentinel finds no server. */
  get location(): RedisLocation {
    return { url: 'redis://127.0.0.1:1/0', sentinel: { nodes: [this.node], master } };
  }

  get node(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Resolves when the sentinel knows the replica, and that is in sync. `other` is the replica. */
  async start(): Promise<void> {
    await this.one.start();
    await this.other.start([
      '--replicaof',
      '127.0.0.1',
      String(this.one.port),
      '--repl-diskless-sync-delay',
      '0',
    ]);
    this.port = await freePort();
    await this.startSentinel();
    await eventually(async () => {
      const replicas = (await this.asked?.call('SENTINEL', 'REPLICAS', master)) as string[][];
      if (!replicas[0]?.includes('ok')) throw new Error('the sentinel has not seen the replica in sync');
    }, 20_000);
  }

  async startSentinel(): Promise<void> {
    const file = join(this.folder, 'sentinel.conf');
    writeFileSync(
      file,
      [
        `port ${this.port}`,
        'bind 127.0.0.1',
        `dir ${this.folder}`,
        `sentinel monitor ${master} 127.0.0.1 ${this.one.port} 1`,
        `sentinel down-after-milliseconds ${master} 500`,
        `sentinel failover-timeout ${master} 2000`,
        '',
      ].join('\n'),
    );
    this.sentinel = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
    this.asked = new Redis({ port: this.port, retryStrategy: () => 20, maxRetriesPerRequest: null });
    this.asked.on('error', () => undefined); // refused until it listens
    await this.asked.ping();
  }

  /** The port of the server that the sentinel names. */
  async primaryPort(): Promise<number> {
    const address = (await this.asked?.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)) as string[];
    return Number(address[1]);
  }

  /** Hands the role over although the primary lives, as at an upgrade. Resolves once the sentinel names the other one. */
  async handOver(): Promise<void> {
    const before = await this.primaryPort();
    await this.asked?.call('SENTINEL', 'FAILOVER', master);
    await this.untilNotOn(before);
  }

  async untilNotOn(port: number): Promise<void> {
    await eventually(async () => {
      if ((await this.primaryPort()) === port) throw new Error(`the primary is on ${port} still`);
    }, 20_000);
  }

  async killSentinel(): Promise<void> {
    this.asked?.disconnect();
    const { sentinel } = this;
    if (sentinel === undefined || sentinel.exitCode !== null || sentinel.signalCode !== null) return;
    const gone = once(sentinel, 'exit');
    sentinel.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.killSentinel();
    for (const server of [this.one, this.other]) {
      server.closeConnections();
      await server.stop();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
