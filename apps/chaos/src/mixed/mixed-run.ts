/**
 * The mixed run: a fleet under load, and all faults of the matrix mixed, for some minutes. Then nothing is done to anybody any
 * more, the fleet has time to come to itself, what is there is brought to its end, and history and Redis are checked.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Seeded } from '@tsq/core/test-support/outside-jest';
import { checkHistory } from '../checker/check-history.js';
import type { Report } from '../checker/report.js';
import { traceOf } from '../checker/trace.js';
import { HistoryTail } from '../history/history-tail.js';
import { finalState } from '../stage/final-state.js';
import { Stage } from '../stage/stage.js';
import { type DoneFault, FaultSchedule } from './fault-schedule.js';
import { Fleet } from './fleet.js';
import { Servers } from './servers.js';
import { Workload } from './workload.js';

export interface MixedSettings {
  readonly seed: number;
  readonly minutes: number;
  readonly processes: number;
  readonly jobsPerSecond: number;
  /** Jobs between two faults, on the average. */
  readonly gap: number;
  readonly say: (line: string) => void;
}

export interface MixedResult {
  readonly seed: number;
  readonly minutes: number;
  readonly processes: number;
  readonly startedProcesses: number;
  readonly hasRuby: boolean;
  readonly redisVersion: string;
  readonly report: Report;
  readonly faults: readonly DoneFault[];
  /** Of the suite, or that the run did not come to its end. */
  readonly failures: readonly string[];
  /** What a failed run leaves behind. */
  readonly artefacts: readonly string[];
}

const heartbeatTtlMs = 3_000;
/** L1, with room for a machine that is busy with all this; where nothing else was the matter. */
const deathMs = 15_000;
const drainsWithinMs = 180_000;

export async function runMixed(settings: MixedSettings): Promise<MixedResult> {
  const stage = new Stage(settings.seed);
  let isBroken = true;
  try {
    const run = new MixedRun(settings, stage, await Servers.start(stage));
    const result = await run.toItsEnd();
    isBroken = result.report.violations.length + result.failures.length > 0;
    if (isBroken) writeDown(stage, result);
    return { ...result, artefacts: isBroken ? stage.artefacts : [] };
  } finally {
    await stage.close(isBroken ? 'failed' : 'passed');
  }
}

/** Beside the histories: the plan, and what the history says of each job that something is wrong with. */
function writeDown(stage: Stage, result: Omit<MixedResult, 'artefacts'>): void {
  writeFileSync(join(stage.folder, 'plan.json'), JSON.stringify(result, null, 1));
  const lines = stage.lines();
  const traces = result.report.violations
    .slice(0, 20)
    .flatMap(({ rule, subject, text }) => ['', `${rule}: ${subject} ${text}`, ...traceOf(lines, subject)]);
  writeFileSync(join(stage.folder, 'violations.txt'), traces.join('\n'));
}

class MixedRun {
  private readonly fleet: Fleet;
  private readonly tail: HistoryTail;
  private readonly schedule: FaultSchedule;
  private readonly workload: Workload;
  private readonly failures: string[] = [];

  constructor(
    private readonly settings: MixedSettings,
    private readonly stage: Stage,
    private readonly servers: Servers,
  ) {
    const { seed, gap, jobsPerSecond } = settings;
    const producer = stage.client(servers.front.url);
    this.fleet = new Fleet(stage, new Seeded(seed + 1));
    this.tail = new HistoryTail(stage.historyFolder);
    this.schedule = new FaultSchedule(seed + 2, gap, { stage, servers, producer, fleet: this.fleet });
    this.workload = new Workload(producer, {
      ...{ jobsPerSecond, redisUrl: servers.front.url, historyFolder: stage.historyFolder },
      random: new Seeded(seed + 3),
      waiting: () => this.waiting(),
    });
  }

  async toItsEnd(): Promise<Omit<MixedResult, 'artefacts'>> {
    const { stage, servers, fleet, settings, schedule } = this;
    await fleet.start(settings.processes);
    await this.underFire();
    settings.say('nothing is done to anybody any more; what is there is brought to its end');
    await fleet.calmDown();
    const tending = setInterval(() => fleet.tend(), 100);
    await stage.pause(2 * heartbeatTtlMs);
    await stage.drained(drainsWithinMs, servers.primary).catch((error: unknown) => {
      this.failures.push(`not drained within ${drainsWithinMs} ms: ${String(error)}`);
    });
    clearInterval(tending);
    await fleet.over();
    await stage.stopWorkers();
    const final = await finalState(stage.connect(servers.primary));
    const report = checkHistory(stage.lines(), final, { heartbeatTtlMs, deathMs });
    const { seed, minutes, processes } = settings;
    const redisVersion = /redis_version:(\S+)/.exec(await servers.admin.info('server'))?.[1] ?? 'unknown';
    const failures = [...this.failures, ...schedule.failures];
    const { hasRuby } = this.workload;
    const facts = { seed, minutes, processes, startedProcesses: fleet.started, hasRuby, redisVersion };
    return { ...facts, report, faults: schedule.done, failures };
  }

  private async underFire(): Promise<void> {
    const { stage, tail, fleet, schedule, settings } = this;
    const end = AbortSignal.timeout(settings.minutes * 60_000);
    const loaded = this.workload.run(end);
    let toldAtMs = performance.now();
    while (!end.aborted) {
      tail.read();
      schedule.advance(tail.count('end'));
      fleet.tend();
      await stage.pause(50);
      if (performance.now() - toldAtMs < 10_000) continue;
      toldAtMs = performance.now();
      settings.say(
        `${tail.done} jobs done, ${schedule.done.length} faults, last: ${schedule.done.at(-1)?.name ?? 'none'}`,
      );
    }
    await Promise.all([loaded, schedule.over()]);
  }

  private async waiting(): Promise<number | undefined> {
    const { admin } = this.servers;
    if (admin.status !== 'ready') return undefined;
    const reply = admin.llen('queue:default').catch(() => undefined); // it is away
    return await Promise.race([reply, this.stage.pause(500).then(() => undefined)]);
  }
}
