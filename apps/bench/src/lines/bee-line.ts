/** bee-queue's line: filled under another queue's name; renaming its keys lets the jobs go. */
import Bee from 'bee-queue';
import type { Redis } from 'ioredis';
import type { Books, Line } from './line.js';

export class BeeLine implements Line {
  private readonly queue: Bee;
  private readonly held: Bee;

  constructor(
    private readonly admin: Redis,
    url: string,
  ) {
    const { hostname: host, port } = new URL(url);
    const settings = {
      redis: { host, port: Number(port) },
      isWorker: false,
      getEvents: false,
      sendEvents: false,
    };
    this.queue = new Bee('default', { ...settings, storeJobs: false });
    this.held = new Bee('held', { ...settings, storeJobs: false });
  }

  async probe(): Promise<void> {
    await this.queue.createJob(data(0)).save();
  }

  async hold(jobs: number): Promise<void> {
    for (let next = 1; next <= jobs; next += 1_000) {
      const length = Math.min(1_000, jobs - next + 1);
      await this.held.saveAll(Array.from({ length }, (_, i) => this.held.createJob(data(next + i))));
    }
  }

  async release(): Promise<void> {
    await this.admin
      .multi()
      .rename('bq:held:jobs', 'bq:default:jobs')
      .rename('bq:held:waiting', 'bq:default:waiting')
      .exec();
  }

  async isDrained(): Promise<boolean> {
    const [waiting, active] = [
      await this.admin.llen('bq:default:waiting'),
      await this.admin.llen('bq:default:active'),
    ];
    return waiting + active === 0;
  }

  async books(): Promise<Books> {
    return {
      failed: await this.admin.scard('bq:default:failed'),
      left: await this.admin.hlen('bq:default:jobs'),
    };
  }

  expectedBooks(): Books {
    return { failed: 0, left: 0 };
  }

  async close(): Promise<void> {
    await Promise.all([this.queue.close(), this.held.close()]);
  }
}

function data(id: number) {
  return { args: [id, 'some argument', { a: 1, b: [true, null] }] };
}
