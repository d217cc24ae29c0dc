/**
 * Row 31: a fleet is replaced under load, one process after another, and then all at once. Jobs that fit the timeout are done
 * once; those that do not are put back, and no copy of one starts before its original has ended or was told to stop.
 */
import type { HistoryLine } from '../history/line.js';
import type { Row } from '../row.js';
import type { Producer } from '../stage/producer.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';

const timeoutSeconds = 1;
const shortMs = 300;
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
  const isBegun = (jid: string) => stage.lines().some((line) => line.event === 'start' && line.jid === jid);
  await stage.eventually(() => {
    if (!heeding.slice(-processes).some(isBegun)) throw new Error('none of the long jobs has begun');
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
  const story = new Story(stage.lines());
  story.expectEndedOnce([...short, ...heeding]);
  for (const jid of ignoring) story.expectToldBeforeSecondEnd(jid);
  for (const jid of [...short, ...heeding, ...ignoring]) story.expectInTurn(jid);
  if (!heeding.some((jid) => story.requeuesOf(jid) > 0))
    throw new Error('no long job was put back: the deploy met none');
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

class Story {
  constructor(private readonly lines: readonly HistoryLine[]) {}

  expectEndedOnce(jids: readonly string[]): void {
    const ends = new Map<string, number>();
    for (const line of this.lines)
      if (line.event === 'end') ends.set(line.jid, (ends.get(line.jid) ?? 0) + 1);
    const wrong = jids.filter((jid) => ends.get(jid) !== 1);
    if (wrong.length > 0) throw new Error(`of ${jids.length} jobs these were not done once: ${wrong}`);
  }

  /** One that does not heed its signal may come to its end in the moment between its requeue and the end of its process. */
  expectToldBeforeSecondEnd(jid: string): void {
    const runs = this.lines.filter((line) => 'jid' in line && line.jid === jid);
    const ends = runs.filter(({ event }) => event === 'end');
    const untold = ends.filter(
      (end) =>
        !runs.some((line) => line.event === 'abort' && end.event === 'end' && line.token === end.token),
    );
    if (ends.length === 0 || untold.length > 1) throw new Error(`${jid} was done ${ends.length} times`);
  }

  /** Started again only after it was put back, and only when the run before has ended or was told to stop. */
  expectInTurn(jid: string): void {
    const runs = this.lines.filter((line) => 'jid' in line && line.jid === jid);
    const starts = runs.filter(({ event }) => event === 'start');
    if (starts.length - 1 > this.requeuesOf(jid))
      throw new Error(`${jid} began ${starts.length} times, and was put back ${this.requeuesOf(jid)} times`);
    starts.slice(1).forEach((start, index) => {
      const before = starts[index];
      if (before?.event !== 'start') return;
      const over = runs.some(
        (line) =>
          'token' in line && line.token === before.token && line.event !== 'start' && line.at < start.at,
      );
      if (!over)
        throw new Error(`${jid} began again while it ran as ${before.token}, which nobody had told to stop`);
    });
  }

  requeuesOf(jid: string): number {
    const tokens = new Set(
      this.lines.flatMap((line) =>
        'token' in line && 'jid' in line && line.jid === jid ? [line.token] : [],
      ),
    );
    const ends = this.lines.flatMap((line) => (line.event === 'settle-sent' ? line.ends : []));
    return ends.filter(({ token, kind }) => kind === 'requeue' && tokens.has(token)).length;
  }
}

export const row: Row = {
  number: 31,
  fault: 'a fleet replaced under load, one process after another and all at once',
  holds: ['S1', 'S3', 'S4', 'L3'],
  run,
};
