/**
 * Row 31: a fleet is replaced under load, one process after another, and then all at once. Jobs that fit the timeout are done
 * once; those that do not are put back, and no copy of one starts before its original has ended or was told to stop.
 */
import type { Row } from '../row.js';
import type { Producer } from '../stage/producer.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { DeployStory } from './deploy-story.js';

/** At most: they fit the timeout. */
const shortMs = 200;
const concurrency = 5;

/** `longMs` does not fit the timeout, and ends while a process is left alone for so long. */
const sizes = {
  small: { processes: 6, timeoutSeconds: 1, longMs: 3_000 },
  full: { processes: 20, timeoutSeconds: 3, longMs: 10_000 },
} as const;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const deploy = new Deploy(stage);
  await deploy.begin();
  const load = new Load(stage, stage.client());
  await deploy.oneByOne();
  await deploy.allAtOnce();
  const short = await load.stop();
  await stage.drained();
  const { jobs, done, recoveries } = await stage.verify();
  if (done !== jobs) throw new Error(`${jobs} jobs, ${done} done`);
  if (recoveries.length > 0) throw new Error(`nobody died, and ${JSON.stringify(recoveries)} were recovered`);
  check(new DeployStory(stage.lines()), short, deploy);
}

function check(story: DeployStory, short: readonly string[], { heeding, ignoring }: Deploy): void {
  // On a machine that is short of CPU some may not fit after all.
  const late = short.filter((jid) => story.wasTold(jid));
  if (late.length > short.length / 20)
    throw new Error(`${late.length} of ${short.length} jobs that fit the timeout were told to stop`);
  story.expectEndedOnce([...short.filter((jid) => !late.includes(jid)), ...heeding]);
  for (const jid of [...ignoring, ...late]) story.expectToldBeforeSecondEnd(jid);
  for (const jid of [...short, ...heeding, ...ignoring]) story.expectInTurn(jid);
  if ([heeding, ignoring].some((jids) => !jids.some((jid) => story.requeuesOf(jid) > 0)))
    throw new Error('of the long jobs none was put back that heeds its signal, or none that does not');
}

/** A fleet, and the jobs that do not fit its timeout: half of them end when they are told to, half do not listen. */
class Deploy {
  readonly heeding: string[] = [];
  readonly ignoring: string[] = [];
  private readonly fleet: WorkerProcess[] = [];

  constructor(private readonly stage: Stage) {}

  async begin(): Promise<void> {
    const { processes } = sizes[this.stage.size];
    while (this.fleet.length < processes)
      this.fleet.push(...(await Promise.all([this.start(), this.start()])));
  }

  /** The new one works before the old one stops. */
  async oneByOne(): Promise<void> {
    for (const [index, old] of this.fleet.entries()) {
      this.fleet[index] = await this.start();
      await this.addLong(1);
      old.terminate();
      await endedWell(old);
    }
  }

  async allAtOnce(): Promise<void> {
    const { processes } = sizes[this.stage.size];
    await this.addLong(processes);
    await this.stage.eventually(() => {
      const begun = new Set(this.stage.lines().flatMap((line) => (line.event === 'start' ? [line.jid] : [])));
      const areIdle = (jids: readonly string[]) => !jids.slice(-processes).some((jid) => begun.has(jid));
      if (areIdle(this.heeding) || areIdle(this.ignoring))
        throw new Error('of the long jobs none has begun that heeds its signal, or none that does not');
    });
    const news = this.fleet.map(() => this.start());
    for (const old of this.fleet) old.terminate();
    await Promise.all(this.fleet.map(endedWell));
    await Promise.all(news);
  }

  private start(): Promise<WorkerProcess> {
    const { timeoutSeconds } = sizes[this.stage.size];
    return this.stage.worker({ concurrency, flags: ['-t', String(timeoutSeconds)] });
  }

  private async addLong(count: number): Promise<void> {
    const { longMs } = sizes[this.stage.size];
    const client = this.stage.client();
    this.heeding.push(...(await client.enqueueMany(count, 'Chaos::Heeding', [longMs])));
    this.ignoring.push(...(await client.enqueueMany(count, 'Chaos::Tracked', [longMs])));
  }
}

/** Short jobs without end: tracked and untracked. */
class Load {
  private readonly jids: string[] = [];
  private isOver = false;
  private readonly flowing: Promise<void>;

  constructor(
    private readonly stage: Stage,
    private readonly client: Producer,
  ) {
    this.flowing = this.flow();
  }

  async stop(): Promise<readonly string[]> {
    this.isOver = true;
    await this.flowing;
    return this.jids;
  }

  private async flow(): Promise<void> {
    while (!this.isOver) {
      const name = this.stage.random.pick(['Chaos::Tracked', 'Chaos::Untracked']);
      this.jids.push(await this.client.enqueue(name, [this.stage.random.below(shortMs)]));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function endedWell(worker: WorkerProcess): Promise<void> {
  const ending = await worker.ended();
  if (ending !== 0) throw new Error(`process ${worker.pid} ended its stop with ${ending}:\n${worker.log}`);
}

export const row: Row = {
  number: 31,
  fault: 'a fleet replaced under load, one process after another and all at once',
  holds: ['S1', 'S3', 'S4', 'L3'],
  run,
};
