/**
 * Row 33: a Ruby fleet with the tracker gem and a tsq fleet in one namespace, and processes of both are killed. Each fleet puts
 * back what the other's dead held: every job ends, once, and starts twice only if it was running when its process was killed.
 *
 * The claims of the gem are in no history of ours, so the row counts runs by itself: those of tsq from the history, those of
 * Ruby from a journal of the same kind.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessSet } from '@tsq/core';
import { probeRuby, type RubyServer, RubySidekiq, trackerGem } from '@tsq/core/test-support/outside-jest';
import { hashOf } from '../history/bytes-hash.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';

const namespace = 'sidekiq_assured_jobs';
const flags = [
  ...['--namespace', namespace],
  ...['--recovery-gem-scan-interval', '0.3', '--recovery-gem-grace', '1'],
];
/** In hand of each process when it is killed. */
const jobsInHand = 4;
const durationMs = 2_000;
/** Each process that is to be killed has a queue of its own; the others work on both. */
const queues = ['default', 'ours'] as const;
const onBoth = queues.flatMap((queue) => ['-q', queue]);

/** Of the same monotonic clock as the history's. */
interface RubyLine {
  readonly event: string;
  readonly jid: string;
  readonly pid: number;
  readonly at: number;
}

/** Pids. */
interface Runs {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

class MixedFleet {
  private readonly ruby: RubySidekiq;
  private readonly journal: string;
  /** All that were ever enqueued. */
  readonly jids: string[] = [];
  private servers = 0;

  constructor(private readonly stage: Stage) {
    const probe = probeRuby();
    if ('missing' in probe) throw new Error(`row 33 needs Ruby's Sidekiq: ${probe.missing}`);
    this.ruby = new RubySidekiq(probe.version);
    this.journal = join(stage.folder, 'ruby-journal');
    stage.atEnd(() => this.ruby.close());
  }

  /** A `sidekiq` process with the gem. An id with a colon is one that the gem itself would not find again. */
  async gem(served: readonly string[] = queues): Promise<RubyServer> {
    this.servers += 1;
    const gem = trackerGem({
      namespace,
      instanceId: `host-${this.servers}`,
      intervalSeconds: 1,
      ttlSeconds: 3,
    });
    return await this.ruby.server({
      redisUrl: this.stage.ownRedis.url,
      queues: served,
      concurrency: jobsInHand,
      source: `${gem}${this.workers}`,
    });
  }

  /** SIGKILL. Its entry on the Busy page, which says for up to 60 s what it runs, ends at once. */
  async kill(server: RubyServer): Promise<void> {
    server.signal('SIGKILL');
    await server.gone();
    const redis = this.stage.connect();
    for await (const { identity, pid } of new ProcessSet(redis)) {
      if (pid === server.pid) await redis.del(identity, `${identity}:workers`, `${identity}:work`);
    }
  }

  async enqueue(queue: string): Promise<readonly string[]> {
    const jids = await this.stage.client().enqueueMany(jobsInHand, 'Chaos::Tracked', [durationMs], { queue });
    this.jids.push(...jids);
    return jids;
  }

  async running(jids: readonly string[], pid: number | undefined): Promise<void> {
    await this.stage.eventually(() => {
      for (const jid of jids) {
        const { starts } = this.runsOf(jid);
        if (starts.at(-1) !== pid)
          throw new Error(`${jid} started in ${starts.join(', ')}, waited for ${pid}`);
      }
    });
  }

  async ended(jids: readonly string[]): Promise<void> {
    await this.stage.eventually(() => {
      for (const jid of jids) if (this.runsOf(jid).ends.length === 0) throw new Error(`${jid} has not ended`);
    }, 60_000);
  }

  /** In the order of time. */
  runsOf(jid: string): Runs {
    const rubys = existsSync(this.journal)
      ? readFileSync(this.journal, 'utf8').split('\n').filter(Boolean)
      : [];
    const all = [...this.stage.lines(), ...rubys.map((line) => JSON.parse(line) as RubyLine)];
    const own = all
      .filter((line) => 'jid' in line && line.jid === jid)
      .toSorted((one, two) => one.at - two.at);
    const pidsOf = (event: string) => own.filter((line) => line.event === event).map(({ pid }) => pid);
    return { starts: pidsOf('start'), ends: pidsOf('end') };
  }

  private get workers(): string {
    return `
      module Chaos
        class Tracked
          include Sidekiq::Worker
          sidekiq_options assured_jobs: true
          def perform(milliseconds)
            note('start')
            sleep milliseconds / 1000.0
            note('end')
          end
          def note(event)
            line = JSON.generate(event: event, jid: jid, pid: Process.pid, at: Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond))
            File.open('${this.journal}', 'a') { |file| file.syswrite("#{line}\\n") }
          end
        end
      end
    `;
  }
}

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const fleet = new MixedFleet(stage);
  await rubyDies(stage, fleet);
  await bothDie(stage, fleet);
  const more = stage.size === 'full' ? 5 : 0;
  for (let round = 0; round < more; round += 1) {
    await tsqDies(stage, fleet);
    await bothDie(stage, fleet);
  }
  await nothingLeft(stage);
  // Once more, when nobody runs any more: a second copy may have come late.
  for (const jid of fleet.jids) {
    const { starts, ends } = fleet.runsOf(jid);
    if (starts.length !== 2 || ends.length !== 1) throw new Error(`S3: ${jid}: ${told(starts, ends)}`);
  }
}

/** S5: what comes back is what the gem had noted, byte for byte. */
async function rubyDies(stage: Stage, fleet: MixedFleet): Promise<void> {
  const redis = stage.connect();
  const killed = await fleet.gem();
  const jids = await fleet.enqueue('default');
  await fleet.running(jids, killed.pid);
  const noted = await redis.mgetBuffer(jids.map((jid) => `${namespace}:job:${jid}`));
  await fleet.kill(killed);
  const worker = await stage.worker({ flags: [...flags, ...onBoth] });
  await fleet.ended(jids);
  expectRuns(fleet, jids, [killed.pid ?? 0, worker.pid]);
  const came = new Map(
    stage
      .lines()
      .flatMap((line) => (line.event === 'claim' ? line.jobs.map((job) => [job.jid, job.hash]) : [])),
  );
  jids.forEach((jid, index) => {
    const bytes = noted[index];
    if (bytes === null || bytes === undefined) throw new Error(`the gem had noted no payload of ${jid}`);
    if (came.get(jid) !== hashOf(bytes))
      throw new Error(`S5: ${jid} came back with other bytes than the gem had noted`);
  });
  await worker.stop();
}

/** Nobody of tsq's lives: the gem does it, at its start. */
async function tsqDies(stage: Stage, fleet: MixedFleet): Promise<void> {
  const worker = await stage.worker({ flags: [...flags, ...onBoth] });
  const jids = await fleet.enqueue('default');
  await fleet.running(jids, worker.pid);
  await worker.kill();
  const gem = await fleet.gem();
  await fleet.ended(jids);
  expectRuns(fleet, jids, [worker.pid, gem.pid ?? 0]);
  await gem.stop();
}

/** One of each is killed, and one of each looks for the dead at the same time: each orphan goes back once. */
async function bothDie(stage: Stage, fleet: MixedFleet): Promise<void> {
  const gem = await fleet.gem(['default']);
  const worker = await stage.worker({ flags: [...flags, '-q', 'ours'] });
  const [first, second] = [await fleet.enqueue('default'), await fleet.enqueue('ours')];
  await Promise.all([fleet.running(first, gem.pid), fleet.running(second, worker.pid)]);
  await Promise.all([fleet.kill(gem), worker.kill()]);
  const [nextGem, nextWorker] = await Promise.all([
    fleet.gem(),
    stage.worker({ flags: [...flags, ...onBoth] }),
  ]);
  await fleet.ended([...first, ...second]);
  const both = new Set([nextGem.pid, nextWorker.pid]);
  for (const jid of [...first, ...second]) {
    const { starts, ends } = fleet.runsOf(jid);
    const isOnce = ends.length === 1 && starts.length === 2 && both.has(ends[0]);
    if (!isOnce) throw new Error(`S3: expected one more run of ${jid} after the kill: ${told(starts, ends)}`);
  }
  await Promise.all([nextGem.stop(), nextWorker.stop()]);
}

function expectRuns(
  fleet: MixedFleet,
  jids: readonly string[],
  [killed, next]: readonly [number, number],
): void {
  for (const jid of jids) {
    const { starts, ends } = fleet.runsOf(jid);
    if (starts.join() === `${killed},${next}` && ends.join() === `${next}`) continue;
    throw new Error(
      `S3: expected ${jid} to start in ${killed}, then in ${next}, and to end there: ${told(starts, ends)}`,
    );
  }
}

function told(starts: readonly number[], ends: readonly number[]): string {
  return `it started in ${starts.join(', ') || 'none'} and ended in ${ends.join(', ') || 'none'}`;
}

/** L3. What the gem recovered of ours stands in our registry until one of ours looks. */
async function nothingLeft(stage: Stage): Promise<void> {
  const redis = stage.connect();
  const last = await stage.worker({ flags: [...flags, ...onBoth] });
  await stage.eventually(async () => {
    const count = await redis.scard(`${namespace}:instances`);
    if (count !== 1) throw new Error(`${count} instances are registered, one lives`);
  });
  await last.stop();
  const left = (await redis.keys(`${namespace}:*`)).filter((key) => key !== `${namespace}:recoveries`);
  const jobs =
    (await redis.zcard('retry')) + (await redis.zcard('dead')) + (await redis.llen('queue:default'));
  if (left.length + jobs > 0) throw new Error(`L3: ${jobs} jobs and these keys are left: ${left.join(', ')}`);
}

export const row: Row = {
  number: 33,
  fault: 'processes of the tracker gem and of tsq, in one namespace, are killed',
  holds: ['S3', 'S5', 'L3'],
  missing() {
    const probe = probeRuby();
    return 'missing' in probe ? `needs Ruby's Sidekiq: ${probe.missing}` : undefined;
  },
  run,
};
