/**
 * The workers of a mixed run: each speaks to Redis through a proxy of its own, and whoever has ended is started again, as an
 * orchestrator does. Some are armed to hurt themselves at a fault point, some live on a host with a wrong clock.
 */
import { faultNames, type Seeded, type TcpProxy } from '@tsq/core/test-support/outside-jest';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';

const wrongClock = new URL('./wrong-clock.js', import.meta.url).href;

/** Where a process is, whichever one. */
export interface Post {
  readonly number: number;
  readonly proxy: TcpProxy;
  worker: WorkerProcess;
  isReplacing: boolean;
}

export class Fleet {
  readonly posts: Post[] = [];
  /** Processes that were started. */
  started = 0;
  private isCalm = false;
  private isOver = false;

  constructor(
    private readonly stage: Stage,
    private readonly random: Seeded,
  ) {}

  async start(size: number): Promise<void> {
    for (let number = 0; number < size; number += 1) {
      const proxy = await this.stage.proxy();
      this.posts.push({ number, proxy, worker: await this.spawn(proxy, 'unarmed'), isReplacing: false });
    }
    await Promise.all(this.posts.map(({ worker }) => this.stage.untilReady(worker)));
  }

  pick(random: Seeded): Post {
    return random.pick(this.posts);
  }

  /** Whoever has ended is replaced; called again and again. */
  tend(): void {
    for (const post of this.posts) if (!this.isOver && !post.worker.isRunning) void this.replace(post);
  }

  /** Unless it has been meanwhile. */
  async replace(post: Post): Promise<void> {
    if (post.worker.isRunning || post.isReplacing) return;
    post.isReplacing = true;
    try {
      // It begins where the network is whole: what is done to the one before is not done to it.
      while (post.proxy.mode !== 'pass' || post.proxy.delayMs > 0) await this.stage.pause(50);
      post.worker = await this.spawn(post.proxy, this.isCalm ? 'unarmed' : 'perhaps armed');
    } finally {
      post.isReplacing = false;
    }
  }

  /**
   * From now on nobody hurts himself: those who are armed are stopped and started again. A poison job may still kill one after
   * the other, so who ends is replaced as before: while nobody lives nothing is recovered.
   */
  async calmDown(): Promise<void> {
    this.isCalm = true;
    for (const post of this.posts) {
      post.proxy.mode = 'pass';
      post.proxy.delayMs = 0;
      while (post.isReplacing) await this.stage.pause(50);
      if (post.worker.isRunning) post.worker.thaw();
      if (post.worker.isArmed) await post.worker.stop();
      if (!post.worker.isRunning) post.worker = await this.stage.worker({ via: post.proxy });
    }
  }

  /** Nobody is replaced any more. */
  async over(): Promise<void> {
    this.isOver = true;
    while (this.posts.some(({ isReplacing }) => isReplacing)) await this.stage.pause(50);
  }

  private async spawn(via: TcpProxy, how: 'unarmed' | 'perhaps armed'): Promise<WorkerProcess> {
    this.started += 1;
    const chance = this.random.next();
    const fault = chance < 0.35 && how === 'perhaps armed' ? this.fault() : undefined;
    const hours = this.random.next() < 0.2 ? this.random.pick([-1, 1, 24]) : 0;
    const clock =
      hours === 0
        ? {}
        : {
            nodeArgs: ['--import', wrongClock],
            env: { CHAOS_CLOCK_OFFSET_MS: String(hours * 3_600_000) },
          };
    return await this.stage.worker({
      ...{ via, until: 'spawned', concurrency: this.random.pick([3, 5, 8]), ...clock },
      ...(fault === undefined ? {} : { fault }),
    });
  }

  /** Dies there, or sleeps there for longer than its TTL. At what comes often, at a later arrival. */
  private fault(): string {
    const name = this.random.pick(faultNames);
    const isOften = /^(claim|perform|settle)/.test(name);
    const arrival = 1 + (isOften ? this.random.below(200) : 0);
    // In the heartbeat's own thread a sleep is a freeze, and nobody would write it down.
    const isInThread = /^(de)?register/.test(name);
    return `${name}:${this.random.next() < 0.8 || isInThread ? 'kill' : 'sleep(4500)'}@${arrival}`;
  }
}
