/** The four kinds of harm, each the same for all contenders: what is enqueued, what is done, and until when is watched. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, RedisServer } from '@tsq/core/test-support/outside-jest';
import { type Account, account, type Incident, openRuns } from './account.js';
import type { Arena, Contender, PeerJob, PeerProcess } from './contender.js';
import { nowMicros, readJournal } from './peer-journal.js';

export interface Experiment {
  readonly name: string;
  readonly text: string;
  readonly timeoutSeconds: number;
  readonly jobs: readonly PeerJob[];
  /** How many processes there are at first. */
  readonly processes: number;
  /** Whether a contender can be harmed so. */
  applies(contender: Contender): boolean;
  /** @param first one of those that were started */
  harm(fleet: Fleet, first: PeerProcess): Promise<Incident>;
}

export interface Outcome extends Account {
  /** From the signal until the process had ended; of a kill, nothing. */
  readonly goneSeconds: number | undefined;
}

/** Nothing more happens for so long, and no run is open: the end. */
const quietMs = 12_000;

const sleeping = (count: number, durationMs: number): readonly PeerJob[] =>
  Array.from({ length: count }, (_, index) => [index, durationMs, 'sleep'] as const);
const any = () => true;

async function replaced(fleet: Fleet, first: PeerProcess): Promise<Incident> {
  await fleet.started(20);
  const incident = fleet.signal(first, 'SIGTERM');
  await delay(100);
  await fleet.start();
  return incident;
}

export const experiments: readonly Experiment[] = [
  {
    name: 'kill',
    text: 'kill -9: 300 jobs of 1 s, two processes × 10; one is killed after 100 ends, and started again after 5 s',
    timeoutSeconds: 25,
    jobs: sleeping(300, 1_000),
    processes: 2,
    applies: any,
    async harm(fleet, first) {
      await fleet.ended(100);
      await delay(400); // in the middle of their second
      const incident = fleet.signal(first, 'SIGKILL');
      await delay(5_000);
      await fleet.start();
      return incident;
    },
  },
  {
    name: 'stop',
    text: 'TERM with a timeout of 3 s: 20 jobs of 30 s, two processes × 10; a new one is started 0.1 s after',
    timeoutSeconds: 3,
    jobs: sleeping(20, 30_000),
    processes: 2,
    applies: any,
    harm: replaced,
  },
  {
    name: 'deploy',
    text: 'Rolling deploy: the same with jobs of 20 s, which fit the timeout of 25 s',
    timeoutSeconds: 25,
    jobs: sleeping(20, 20_000),
    processes: 2,
    applies: any,
    harm: replaced,
  },
  {
    name: 'block',
    text: 'Event loop blocked for 60 s by 1 of 10 jobs (9 sleep 2 s); a second process is started 1 s later',
    timeoutSeconds: 25,
    jobs: [[0, 60_000, 'block'], ...sleeping(10, 2_000).slice(1)],
    processes: 1,
    applies: ({ hasEventLoop }) => hasEventLoop,
    async harm(fleet, first) {
      await fleet.started(10);
      const incident = { pid: first.pid, atMicros: nowMicros() };
      await delay(1_000);
      await fleet.start();
      return incident;
    },
  },
];

/** The processes of one contender in one run. */
export class Fleet {
  readonly dead = new Set<number>();
  goneAtMicros: number | undefined;
  private readonly processes: PeerProcess[] = [];

  constructor(
    private readonly contender: Contender,
    private readonly arena: Arena,
    private readonly timeoutSeconds: number,
  ) {}

  async start(): Promise<PeerProcess> {
    const started = await this.contender.start(this.arena, this.timeoutSeconds);
    this.processes.push(started);
    return started;
  }

  signal(victim: PeerProcess, name: 'SIGKILL' | 'SIGTERM'): Incident {
    const incident = { pid: victim.pid, atMicros: nowMicros() };
    victim.signal(name);
    if (name === 'SIGKILL') this.dead.add(victim.pid);
    void victim.gone().then(() => {
      this.dead.add(victim.pid);
      this.goneAtMicros ??= nowMicros();
    });
    return incident;
  }

  get events() {
    return readJournal(this.arena.journal);
  }

  async started(count: number): Promise<void> {
    await this.reached('S', count);
  }

  async ended(count: number): Promise<void> {
    await this.reached('E', count);
  }

  /** Until all have ended, no run is open and nothing more happens; or until the time is over. */
  async watched(jobs: number, withinSeconds: number): Promise<void> {
    const end = performance.now() + withinSeconds * 1_000;
    let count = -1;
    let changedAt = performance.now();
    while (performance.now() < end) {
      const { events } = this;
      if (events.length !== count) {
        count = events.length;
        changedAt = performance.now();
      }
      const ended = new Set(events.filter(({ what }) => what === 'E').map(({ job }) => job)).size;
      const isOver = ended === jobs && openRuns(events, this.dead) === 0;
      if (isOver && performance.now() - changedAt > quietMs) return;
      await delay(200);
    }
  }

  async kill(): Promise<void> {
    for (const each of this.processes) each.signal('SIGKILL');
    await Promise.all(this.processes.map((each) => each.gone()));
  }

  private async reached(what: 'S' | 'E', count: number): Promise<void> {
    await eventually(() => {
      const reached = this.events.filter((event) => event.what === what).length;
      if (reached < count)
        throw new Error(`${this.contender.name}: ${reached} of ${count} "${what}" in the journal`);
    }, 120_000);
  }
}

/** On a Redis of its own. */
export async function runExperiment(contender: Contender, experiment: Experiment): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-peers-'));
  const redis = new RedisServer();
  await redis.start();
  const arena = { url: redis.url, journal: join(folder, 'journal'), folder };
  const fleet = new Fleet(contender, arena, experiment.timeoutSeconds);
  try {
    const first = await fleet.start();
    for (let more = 1; more < experiment.processes; more += 1) await fleet.start();
    await contender.enqueue(arena, experiment.jobs);
    const incident = await experiment.harm(fleet, first);
    await fleet.watched(experiment.jobs.length, contender.watchSeconds);
    const gone = experiment.name === 'kill' ? undefined : fleet.goneAtMicros;
    return {
      ...account(fleet.events, experiment.jobs.length, incident),
      goneSeconds: gone === undefined ? undefined : (gone - incident.atMicros) / 1e6,
    };
  } finally {
    await fleet.kill();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
