/**
 * The Redis of a mixed run, of which there are two: the primary, and a replica that takes its place when it fails over. Producers
 * and those who look speak through a front that leads to whoever is primary.
 */
import type { TcpProxy } from '@tsq/core/test-support/outside-jest';
import { eventually } from '@tsq/core/test-support/outside-jest';
import type { Redis } from 'ioredis';
import type { ChaosRedis } from '../stage/chaos-redis.js';
import type { Stage } from '../stage/stage.js';

export class Servers {
  private constructor(
    private readonly stage: Stage,
    readonly front: TcpProxy,
    public primary: ChaosRedis,
    private spare: ChaosRedis,
    /** Of the primary; made anew after a failover. */
    public admin: Redis,
  ) {}

  static async start(stage: Stage): Promise<Servers> {
    const primary = await stage.redis({ aof: 'no' });
    const spare = await stage.redis({ aof: 'no' });
    const front = await stage.proxy(primary);
    return new Servers(stage, front, primary, spare, stage.connect(primary));
  }

  /** Kills and starts again. @param awayMs for how long nobody answers */
  async restart(awayMs: number): Promise<void> {
    await this.primary.kill();
    await this.stage.pause(awayMs);
    await this.primary.start();
  }

  /** Kills and starts again. @param loadingMs for how long it answers LOADING, at least while it has something to load */
  async restartSlowly(loadingMs: number): Promise<void> {
    await this.primary.kill();
    await this.primary.startSlowly(loadingMs);
  }

  /** Restarts it without the last writes of its log. */
  async restartWithoutTail(): Promise<number> {
    const mark = this.primary.markTail();
    await this.stage.pause(100 + this.stage.random.below(300));
    await this.primary.kill();
    const cut = this.primary.cutTail(mark, this.stage.random.next());
    await this.primary.start();
    // A cut may have left the log with an open MULTI: what follows it would be lost at the next start.
    await this.rewriteLog();
    return cut;
  }

  /** The replica takes over, and lacks what it was not told any more. @param proxies of the workers */
  async failOver(proxies: readonly TcpProxy[]): Promise<void> {
    const { primary, spare, stage } = this;
    const link = await stage.proxy(primary);
    const replica = stage.connect(spare);
    await replica.replicaof('127.0.0.1', link.port);
    await eventually(async () => {
      if (!(await replica.info('replication')).includes('master_link_status:up'))
        throw new Error('no link yet');
    }, 30_000);
    const since = await this.untilReplicated();
    link.mode = 'hole';
    await stage.pause(100 + stage.random.below(400));
    await primary.kill();
    await replica.replicaof('NO', 'ONE');
    spare.lostTail(since, 'failover');
    for (const proxy of [...proxies, this.front]) proxy.retarget(spare.port);
    this.primary = spare;
    this.admin = stage.connect(spare);
    await link.close();
    primary.empty();
    await primary.start();
    this.spare = primary;
  }

  /** @returns a moment: what was acknowledged before it the replica has */
  private async untilReplicated(): Promise<number> {
    for (;;) {
      const now = this.primary.now();
      await this.admin.set('chaos:mark', String(now)); // WAIT waits for what its own client has written
      if ((await this.admin.wait(1, 1_000)) > 0) return now;
    }
  }

  private async rewriteLog(): Promise<void> {
    const redis = this.stage.connect(this.primary);
    await redis.bgrewriteaof();
    await eventually(async () => {
      const info = await redis.info('persistence');
      const isBusy = /aof_rewrite_(in_progress|scheduled):1/.test(info);
      if (isBusy) throw new Error('the log is still being rewritten');
    }, 30_000);
    redis.disconnect();
  }
}
