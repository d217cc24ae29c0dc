/** BullMQ's line: jobs are added while the queue is paused, and `resume` lets them go. */
import { Queue } from 'bullmq';
import type { Books, Line } from './line.js';

export class BullmqLine implements Line {
  private readonly queue: Queue;

  constructor(url: string) {
    const { hostname: host, port } = new URL(url);
    this.queue = new Queue('default', { connection: { host, port: Number(port) } });
  }

  async probe(): Promise<void> {
    await this.queue.add('Noop', data(0), kept);
  }

  async hold(jobs: number): Promise<void> {
    await this.queue.pause();
    for (let next = 1; next <= jobs; next += 1_000) {
      const length = Math.min(1_000, jobs - next + 1);
      await this.queue.addBulk(
        Array.from({ length }, (_, i) => ({ name: 'Noop', data: data(next + i), opts: kept })),
      );
    }
  }

  async release(): Promise<void> {
    await this.queue.resume();
  }

  async isDrained(): Promise<boolean> {
    const counts = await this.queue.getJobCounts('wait', 'active', 'prioritized', 'delayed');
    return Object.values(counts).every((count) => count === 0);
  }

  /** A finished job leaves nothing, so the worker's own count of it is what there is. */
  async books(): Promise<Books> {
    return { failed: await this.queue.getFailedCount(), left: await this.queue.getJobCountByTypes() };
  }

  expectedBooks(): Books {
    return { failed: 0, left: 0 };
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

/** Sidekiq keeps nothing of a job that is done, so neither does this one. */
const kept = { removeOnComplete: true };

function data(id: number) {
  return { args: [id, 'some argument', { a: 1, b: [true, null] }] };
}
