/**
 * Row 31: a fleet is replaced under load, one process after another, and then all at once. Jobs that fit the timeout are done
 * once; those that do not are put back, and no copy of one starts before its original has ended or was told to stop.
 */
import type { Row } from '../row.js';
import type { Producer } from '../stage/producer.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { DeployStory } from './deploy-story.js';

const timeoutSeconds = 1;
/** At most: they fit the timeout. */
const shortMs = 200;
const concurrency = 5;

/** `longMs` does not fit the timeout, and ends while a process is left alone for so long. */
const sizes = {
  small: { processes: 6, longMs: 3_000 },
  full: { processes: 20, longMs: 8_000 },
} as const;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const { processes, longMs } = sizes[stage.size];
  const start = () => stage.worker({ concurrency, flags: ['-t', String(timeoutSeconds)] });
  const fleet = await Promise.all(Array.from({ length: processes }, start));
  const client = stage.client();
  const load = new Load(stage, client);
  const heeding: string[] = [];
  const ignoring: string[] = [];
  const addLong = async (count: number) => {
    heeding.push(...(await client.enqueueMany(count, 'Chaos::Heeding', [longMs])));
    ignoring.push(...(await client.enqueueMany(count, 'Chaos::Tracked', [longMs])));
  };

  for (const [index, old] of fleet.entries()) {
    fleet[index] = await start(); // the new one works before the old one stops
    await addLong(1);
    old.terminate();
    await endedWell(old);
  }
  await addLong(processes);
  await stage.eventually(() => {
    const begun = new Set(stage.lines().flatMap((line) => (line.event === 'start' ? [line.jid] : [])));
    const isIdle = [heeding, ignoring].some((jids) => !jids.slice(-processes).some((jid) => begun.has(jid)));
    if (isIdle)
      throw new Error('of the long jobs none has begun that heeds its signal, or none that does not');
  });
  const news = fleet.map(start);
  for (const old of fleet) old.terminate();
  await Promise.all(fleet.map(endedWell));
  await Promise.all(news);

  const short = await load.stop();
  await stage.drained();
  const { jobs, done, recoveries } = await stage.verify();
  if (done !== jobs) throw new Error(`${jobs} jobs, ${done} done`);
  if (recoveries.length > 0) throw new Error(`nobody died, and ${JSON.stringify(recoveries)} were recovered`);
  const story = new DeployStory(stage.lines());
  // On a machine that is short of CPU some may not fit after all.
  const late = short.filter((jid) => story.wasTold(jid));
  if (late.length > (stage.size === 'full' ? 0 : short.length / 20))
    throw new Error(`${late.length} of ${short.length} jobs that fit the timeout were told to stop`);
  story.expectEndedOnce([...short.filter((jid) => !late.includes(jid)), ...heeding]);
  for (const jid of [...ignoring, ...late]) story.expectToldBeforeSecondEnd(jid);
  for (const jid of [...short, ...heeding, ...ignoring]) story.expectInTurn(jid);
  if ([heeding, ignoring].some((jids) => !jids.some((jid) => story.requeuesOf(jid) > 0)))
    throw new Error('of the long jobs none was put back that heeds its signal, or none that does not');
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
