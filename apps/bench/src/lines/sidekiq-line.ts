/** The line of whoever is on Sidekiq's wire: a list, filled under another name and renamed in one step. */
import type { Redis } from 'ioredis';
import type { Books, Line } from './line.js';

export interface SidekiqLineOptions {
  /** The class in the payloads. */
  readonly jobClass: string;
  /** What stands in the args; default a number, a string and an object. */
  readonly args?: (id: number) => string;
  /** Jobs of another class that stand in front of the line, and stay there. */
  readonly othersInFront?: number;
}

export class SidekiqLine implements Line {
  private readonly others: number;
  private filled = 0;

  constructor(
    private readonly admin: Redis,
    private readonly options: SidekiqLineOptions,
  ) {
    this.others = options.othersInFront ?? 0;
  }

  async probe(): Promise<void> {
    await this.admin.sadd('queues', 'default');
    await this.admin.lpush('queue:default', this.payload(this.options.jobClass, 0));
  }

  async hold(jobs: number): Promise<void> {
    for (let other = 1; other <= this.others; other += 1) {
      await this.admin.lpush('held', this.payload('Other', -other));
    }
    for (let next = 1; next <= jobs; next += 1_000) {
      const length = Math.min(1_000, jobs - next + 1);
      const batch = Array.from({ length }, (_, i) => this.payload(this.options.jobClass, next + i));
      await this.admin.lpush('held', ...batch);
    }
    this.filled = jobs;
  }

  async release(): Promise<void> {
    if (this.filled > 0) await this.admin.rename('held', 'queue:default');
  }

  async isDrained(): Promise<boolean> {
    if ((await this.admin.llen('queue:default')) !== this.others) return false;
    return (await this.admin.keys('tsq:job*')).length === 0;
  }

  async books(): Promise<Books> {
    const { admin } = this;
    return {
      processed: Number(await admin.get('stat:processed')),
      failed: Number((await admin.get('stat:failed')) ?? 0),
      retry: await admin.zcard('retry'),
      dead: await admin.zcard('dead'),
      left: (await admin.keys('tsq:*')).length,
    };
  }

  expectedBooks(jobs: number): Books {
    return { processed: jobs, failed: 0, retry: 0, dead: 0, left: 0 };
  }

  async close(): Promise<void> {
    // The connection is the caller's.
  }

  /** About 220 bytes, as Sidekiq 6.4 writes it. */
  private payload(jobClass: string, id: number): string {
    const jid = (id < 0 ? 2 ** 40 - id : id).toString(16).padStart(24, '0');
    const args = this.options.args?.(id) ?? `[${id},"some argument",{"a":1,"b":[true,null]}]`;
    return `{"retry":true,"queue":"default","args":${args},"class":"${jobClass}","jid":"${jid}","created_at":1795466562.4969463,"enqueued_at":1795466562.4972026}`;
  }
}
