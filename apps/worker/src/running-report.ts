/** The answer to TTIN: what runs now and since when, and what keeps the event loop. A look inside a process that hangs. */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Logger } from '@tsq/core';

/** One running job as the report shows it. */
export interface ReportedJob {
  readonly class: string | undefined;
  readonly jid: string | undefined;
  readonly queue: string;
  readonly startedAtMs: number;
}

export class RunningReport {
  private before: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(private readonly logger: Logger) {}

  write(jobs: readonly ReportedJob[]): void {
    for (const { startedAtMs, ...job } of jobs) {
      const seconds = Math.round((Date.now() - startedAtMs) / 100) / 10;
      this.logger.info(
        { ...job, seconds },
        `runs for ${seconds} s: ${job.class ?? 'unreadable'} ${job.jid ?? ''}`,
      );
    }
    const { heapUsed, rss } = process.memoryUsage();
    const fields = {
      running: jobs.length,
      eventLoopUtilization: this.utilization(),
      heapMegabytes: Math.round(heapUsed / 2 ** 20),
      rssMegabytes: Math.round(rss / 2 ** 20),
      resources: counted(process.getActiveResourcesInfo()),
    };
    this.logger.info(fields, `${jobs.length} running; event loop busy since the last report: see fields`);
  }

  /** 0 idle to 1 blocked, since the last report or the start. */
  private utilization(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.before);
    this.before = now;
    return Math.round(utilization * 1000) / 1000;
  }
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
