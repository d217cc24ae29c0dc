/**
 * The drill itself, step by step: two workers, jobs, kill -9 of one of them in the middle of its jobs, and a look at what
 * becomes of them. It leaves processes and keys behind, on success as on failure: who runs it takes them away.
 */
import { Client, keys, pause, TsqError } from '@tsq/core';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { drillJob } from './drill-job.js';
import { longestSeconds, startWithinSeconds } from './drill-settings.js';
import { type DrillPlace, DrillWorker, journalOf } from './drill-worker.js';
import { machineMs, type Run, readRuns } from './journal.js';
import type { PatientRedis } from './patient-redis.js';
import { type DeathNotice, deathNoticeIn } from './survivors-log.js';
import { inFlightOf, type Kill, type Verdict, verdictOf } from './verdict.js';
import { jobsIn } from './whereabouts.js';

export interface DrillReport extends Verdict {
  /** By which rule the death was seen; undefined: it was not. */
  readonly rule: DeathNotice['rule'] | undefined;
  /** Redis did not answer for a while: what it lost in that is its own. */
  readonly redisWasAway: boolean;
}

/** Thrown where the drill waits, when somebody asked it to end. */
export class Interrupted extends Error {}

const lookEachMs = 25;
const seenWithinMs = 10_000;
const stopsWithinMs = 10_000;
/** A job that is nowhere, for so long, does not come back. */
const nowhereForMs = 3_000;

export interface DrillParts {
  readonly place: DrillPlace;
  readonly redis: PatientRedis;
  readonly interrupted: AbortSignal;
  /** Called with a sentence for people when a step is done. */
  readonly tell: (step: string) => void;
}

export class Drill {
  private readonly workers: DrillWorker[] = [];
  private readonly keyspace: Keyspace;
  private victim: DrillWorker | undefined;

  constructor(private readonly parts: DrillParts) {
    this.keyspace = new Keyspace(parts.place.name);
  }

  /** @throws TSQ_DRILL_INCONCLUSIVE, TSQ_REDIS_UNAVAILABLE, TSQ_REDIS_REFUSED, Interrupted */
  async run(): Promise<DrillReport> {
    const { place, redis } = this.parts;
    await this.startWorkers();
    await this.enqueue();
    const victim = await this.untilOneIsInTheMiddle();
    this.victim = victim;
    const { kill, id } = await this.kill(victim);
    const putBackAtMs = await this.untilPutBack(victim, id, kill);
    await this.untilAllEnded(kill);
    // Asked before the survivor stops: then it is gone, and it is no news.
    const waiting = await this.answer((asked) => jobsIn(asked, place.name));
    const notice = deathNoticeIn(this.survivorOf(victim).log, id);
    await this.survivorOf(victim).stop(stopsWithinMs);
    const { jobs } = place.settings;
    return {
      ...verdictOf({ jobs, runs: this.runs(), kill, putBackAtMs, waiting }),
      rule: notice?.rule,
      redisWasAway: redis.hasBeenAway,
    };
  }

  /** At whatever moment. */
  async killWorkers(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()));
  }

  private async startWorkers(): Promise<void> {
    const { place, tell } = this.parts;
    for (const number of [1, 2] as const) this.workers.push(DrillWorker.start(place, number));
    const end = performance.now() + startWithinSeconds * 1_000;
    await this.until(async () => {
      if (performance.now() > end)
        throw this.inconclusive(`no two workers were up within ${startWithinSeconds} s`);
      return (await this.ids()).length === this.workers.length;
    });
    tell(`two workers are up: pid ${this.workers.map(({ pid }) => pid).join(' and pid ')}`);
    if (place.settings.fastDetection) await this.untilSeen();
  }

  /** The death of a process whose connections nobody has seen yet is told by its heartbeat only. */
  private async untilSeen(): Promise<void> {
    const end = performance.now() + seenWithinMs;
    const { redis, tell } = this.parts;
    const areSeen = await this.until(async () => {
      const seen = await redis.ask((asked) => asked.hlen(this.keyspace.sightings));
      return seen === this.workers.length ? 'seen' : performance.now() > end && 'unseen';
    });
    if (areSeen === 'unseen') {
      tell(
        'their connections are not to be seen in CLIENT LIST (forbidden, or a proxy?): the heartbeat will tell',
      );
    }
  }

  private async enqueue(): Promise<void> {
    const { place, tell } = this.parts;
    const { location, jobs, jobSeconds } = place.settings;
    const client = new Client({ redis: location });
    const durationMs = Math.round(jobSeconds * 1_000);
    const args = Array.from({ length: jobs }, (_, job): [number, number] => [job, durationMs]);
    try {
      await client.with({ queue: place.name }).enqueueBulk(drillJob, args);
    } finally {
      await client.close();
    }
    tell(`${jobs} tracked jobs of ${jobSeconds} s are enqueued`);
  }

  /**
   * The victim: a process with half of what both can hold, each job well begun and not near its end. On a machine where jobs do
   * not begin together, any such job will do once half of all have ended.
   */
  private async untilOneIsInTheMiddle(): Promise<DrillWorker> {
    const { jobs, concurrency, jobSeconds } = this.parts.place.settings;
    const half = Math.ceil(Math.min(jobs, 2 * concurrency) / 2);
    const [begunMs, nearItsEndMs] = [Math.min(jobSeconds * 100, 500), jobSeconds * 800];
    return await this.until(async () => {
      const runs = this.runs();
      const ended = runs.filter(({ endedAtMs }) => endedAtMs !== undefined).length;
      if (ended === jobs) {
        throw this.inconclusive(
          'all jobs had ended before one could be killed in the middle: give --job-seconds more',
        );
      }
      const nowMs = machineMs();
      const isInTheMiddle = ({ startedAtMs }: Run) =>
        nowMs - startedAtMs > begunMs && nowMs - startedAtMs < nearItsEndMs;
      return this.workers.find(({ pid }) => {
        const inFlight = inFlightOf(runs, pid);
        return inFlight.length >= (ended > jobs / 2 ? 1 : half) && inFlight.every(isInTheMiddle);
      });
    });
  }

  private async kill(victim: DrillWorker): Promise<{ kill: Kill; id: InstanceId }> {
    const id = (await this.ids()).find((candidate) => candidate.startsWith(victim.idPrefix));
    if (id === undefined) throw this.inconclusive(`pid ${victim.pid} is not registered in Redis any more`);
    const atMs = machineMs();
    await victim.kill();
    const held = await this.answer((redis) => redis.scard(this.keyspace.jobs(id)));
    this.parts.tell(`kill -9 of pid ${victim.pid}, which held ${held} jobs`);
    return { kill: { pid: victim.pid, atMs, held }, id };
  }

  /** @returns when; undefined: nobody did it, or Redis has forgotten the dead process */
  private async untilPutBack(victim: DrillWorker, id: InstanceId, kill: Kill): Promise<number | undefined> {
    let knownAtMs = machineMs();
    const atMs = await this.until(async () => {
      const trace = await this.parts.redis.ask((redis) => this.traceOf(redis, id));
      const nowMs = machineMs();
      if (trace !== 'none') knownAtMs = nowMs;
      else if (deathNoticeIn(this.survivorOf(victim).log, id) !== undefined) return nowMs;
      return (this.isOver(kill) || nowMs - knownAtMs > nowhereForMs) && 'never';
    });
    if (atMs === 'never') return undefined;
    this.parts.tell('its jobs are back on their queue');
    return atMs;
  }

  /** Whether Redis' books know an instance, or anything that it holds. */
  private async traceOf(redis: Redis, id: InstanceId): Promise<'some' | 'none'> {
    const { instances, deadInstances } = this.keyspace;
    const counts = await Promise.all([
      redis.sismember(instances, id),
      redis.sismember(deadInstances, id),
      redis.scard(this.keyspace.jobs(id)),
    ]);
    return counts.some((count) => count > 0) ? 'some' : 'none';
  }

  /** A job that ends nowhere and lies nowhere is not waited for until the last moment. */
  private async untilAllEnded(kill: Kill): Promise<void> {
    const { jobs } = this.parts.place.settings;
    let idleSinceMs = machineMs();
    await this.until(async () => {
      const ended = this.runs().filter(({ endedAtMs }) => endedAtMs !== undefined);
      if (new Set(ended.map(({ job }) => job)).size === jobs || this.isOver(kill)) return true;
      if ((await this.workLeft()) !== 0) idleSinceMs = machineMs();
      return machineMs() - idleSinceMs > nowhereForMs;
    });
  }

  /** Jobs on the queue and in claims; undefined: Redis did not say. */
  private async workLeft(): Promise<number | undefined> {
    const { place, redis } = this.parts;
    const claims = (await this.ids()).map((id) => this.keyspace.jobs(id));
    const counts = await redis.ask((asked) =>
      Promise.all([asked.llen(keys.queue(place.name)), ...claims.map((key) => asked.scard(key))]),
    );
    return counts?.reduce((sum, count) => sum + count, 0);
  }

  /** The registered instances. */
  private async ids(): Promise<readonly InstanceId[]> {
    const members = await this.parts.redis.ask((redis) => redis.smembers(this.keyspace.instances));
    return (members ?? []) as InstanceId[];
  }

  private runs(): readonly Run[] {
    return readRuns(journalOf(this.parts.place.folder));
  }

  private survivorOf(victim: DrillWorker): DrillWorker {
    const survivor = this.workers.find((worker) => worker !== victim);
    if (survivor === undefined) throw new Error('a drill has two workers');
    return survivor;
  }

  private isOver({ atMs }: Kill): boolean {
    return machineMs() - atMs > longestSeconds(this.parts.place.settings) * 1_000;
  }

  /** Asks until there is an answer. */
  private async answer<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const { value } = await this.until(async () => {
      const value = await this.parts.redis.ask(question);
      return value !== undefined && { value };
    });
    return value;
  }

  /** Repeats `check` until it says something. @throws Interrupted; TSQ_DRILL_INCONCLUSIVE when a worker ended by itself */
  private async until<T>(check: () => Promise<T>): Promise<Exclude<T, undefined | false>> {
    const { interrupted } = this.parts;
    for (;;) {
      if (interrupted.aborted) throw new Interrupted('the drill was asked to end');
      const gone = this.workers.find((worker) => worker.hasEnded && worker !== this.victim);
      if (gone !== undefined) {
        throw this.inconclusive(
          `a tsq-worker ended by itself; its log says\n${gone.log.slice(-2_000).trim()}`,
        );
      }
      const answer = await check();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
      await pause(lookEachMs, interrupted);
    }
  }

  private inconclusive(what: string): TsqError {
    return new TsqError('TSQ_DRILL_INCONCLUSIVE', `the drill could not be carried out: ${what}`);
  }
}
