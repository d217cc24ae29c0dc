/**
 * The beats of one id, over a connection of its own. An id lives once: when it has lapsed, its pulse ends and another id
 * has another pulse.
 *
 * `register` is sent once. When it can't be known whether that arrived, the next beat is a renewal: had the id been declared
 * dead in the meantime, a second registration would bring it back to life, and its old claims would be taken for new ones.
 */
import {
  type ConnectionReporter,
  faultPoint,
  keyTypesOf,
  type Logger,
  openConnection,
  pause,
  type RedisLocation,
  Trouble,
  whenReady,
} from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { type BeatMode, beat } from './beat.js';
import { isRefusal, wantsNewConnection } from './connection-errors.js';
import type { MissedBeat } from './heartbeat-messages.js';
import { whenReadyUnless } from './ready.js';
import { type Retirement, retire } from './retire.js';
import type { HeartbeatSettings } from './settings.js';

export interface PulseOptions extends Pick<HeartbeatSettings, 'intervalMs' | 'ttlMs'> {
  readonly location: RedisLocation;
  readonly keyspace: Keyspace;
  readonly id: InstanceId;
  readonly firstBeat: BeatMode;
  readonly logger: Logger;
  /** Fields and values that go with each beat, for who finds the instance dead. */
  readonly note?: () => readonly string[];
  readonly report?: ConnectionReporter | undefined;
  readonly onBeat: () => void;
  /** A beat did not go through when it was due. */
  readonly onMiss: (beat: MissedBeat) => void;
  /** The id was declared dead; no beat of this pulse follows. */
  readonly onLapse: () => void;
}

/** For the connection, when the time to take leave has come. */
const lastWordsMs = 2_000;
/** The longest that a timer of Node waits. */
const untilAskedMs = 2 ** 31 - 1;

export class Pulse {
  private readonly redis: Redis;
  private readonly ending = new AbortController();
  /** Aborted, it ends the pause behind the present beat. */
  private nap = new AbortController();
  private readonly beating: Promise<void>;
  private mode: BeatMode;
  /** Redis may know the id. */
  private wasSent: boolean;
  private readonly trouble: Trouble;
  private isLate = false;
  /** Since the last beat that went through. */
  private wasAway = false;
  private lastBeatAtMs: number | undefined;
  private isHeld = false;

  constructor(private readonly options: PulseOptions) {
    const what = 'a heartbeat failed: after its TTL the others take this instance for dead';
    this.trouble = new Trouble(options.logger, what, 'warn');
    this.mode = options.firstBeat;
    this.wasSent = options.firstBeat === 'renew';
    this.redis = openConnection(options.location, {
      name: `tsq:${options.id}:heartbeat`,
      commandTimeoutMs: this.commandTimeoutMs,
      logger: options.logger,
      report: options.report,
    });
    this.ending.signal.addEventListener('abort', () => this.beatNow());
    // A Redis that was away may have come back without its keys, and so without this instance.
    this.redis.on('ready', () => this.beatNow());
    this.beating = this.run();
  }

  /** Cuts the pause short. Called while a beat is under way, another follows it. */
  beatNow(): void {
    this.nap.abort();
  }

  /** Sends no beat until `resume`: nobody vouches for the process any more, and its TTL tells the others. */
  hold(): void {
    this.isHeld = true;
  }

  /** Beats again, at once: the answer says whether the others have waited so long. */
  resume(): void {
    this.isHeld = false;
    this.lastBeatAtMs = undefined; // it is not late, it was held
    this.beatNow();
  }

  /** Ends the beats, and tells Redis that the instance is no more. `unconfirmed`: its TTL will tell. Never rejects. */
  async retire(): Promise<Retirement | 'unconfirmed'> {
    const { keyspace, id, logger } = this.options;
    this.ending.abort();
    try {
      if (!this.wasSent) return 'gone';
      await whenReady(this.redis, lastWordsMs);
      await this.beating; // a beat behind the goodbye would undo it
      faultPoint('deregister.before');
      const retirement = await retire(this.redis, keyspace, id);
      faultPoint('deregister.after');
      return retirement;
    } catch (error) {
      logger.warn({ instance: id, err: error }, 'Redis heard no goodbye; the instance ends with its TTL');
      return 'unconfirmed';
    } finally {
      await this.end();
    }
  }

  /** Ends the beats, and leaves Redis as it is. */
  async end(): Promise<void> {
    this.ending.abort();
    this.redis.disconnect();
    await this.beating;
  }

  private async run(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const pauseMs = await this.attempt();
      await pause(pauseMs, this.nap.signal);
    }
  }

  /** One beat; answers how long to wait for the next. */
  private async attempt(): Promise<number> {
    try {
      this.wasAway ||= this.redis.status !== 'ready';
      await whenReadyUnless(this.ending.signal, this.redis);
      if (this.ending.signal.aborted) return 0;
      this.nap = new AbortController();
      if (this.isHeld) return untilAskedMs;
      await this.beat();
      this.trouble.over();
      return this.options.intervalMs;
    } catch (error) {
      if (this.ending.signal.aborted) return 0;
      this.nap = new AbortController(); // what fails is not tried in a spin, whoever asks
      this.failed(error);
      return Math.min(1_000, Math.ceil(this.options.intervalMs / 3));
    }
  }

  private async beat(): Promise<void> {
    const { keyspace, id, ttlMs, note, onBeat, onLapse } = this.options;
    const mode = this.mode;
    this.mode = 'renew';
    this.wasSent = true;
    if (mode === 'register') faultPoint('register.before');
    const reply = await beat(this.redis, keyspace, id, ttlMs, mode, note?.()).catch((error: unknown) => {
      // Nothing was written, so the id is as new as before.
      if (isRefusal(error)) this.mode = mode;
      throw error;
    });
    if (mode === 'register') faultPoint('register.after');
    if (reply === 'renewed') {
      this.noteLateness();
      return onBeat();
    }
    this.ending.abort();
    onLapse();
  }

  /** A whole beat was left out, though none has failed: the process was frozen, its host stood still, or Redis is slow. */
  private noteLateness(): void {
    const sinceBeatMs = this.sinceBeatMs;
    this.lastBeatAtMs = performance.now();
    const isLate =
      !this.trouble.isOn && sinceBeatMs !== undefined && sinceBeatMs >= 2 * this.options.intervalMs;
    if (isLate) this.miss('late', sinceBeatMs, undefined);
    if (isLate && !this.isLate) {
      const { id: instance, intervalMs } = this.options;
      // That Redis was away its connections have said.
      this.options.logger[this.wasAway ? 'debug' : 'warn'](
        { instance, sinceBeatMs, intervalMs },
        'a heartbeat came late',
      );
    }
    this.isLate = isLate;
    this.wasAway = false;
  }

  private miss(reason: MissedBeat['reason'], sinceBeatMs: number | undefined, error: string | undefined) {
    const { id: instance, ttlMs, onMiss } = this.options;
    onMiss({ instance, reason, sinceBeatMs, ttlMs, error });
  }

  private get sinceBeatMs(): number | undefined {
    return this.lastBeatAtMs === undefined ? undefined : Math.round(performance.now() - this.lastBeatAtMs);
  }

  private failed(error: unknown): void {
    if (wantsNewConnection(error)) this.redis.disconnect(true);
    this.miss('failed', this.sinceBeatMs, error instanceof Error ? error.message : String(error));
    const { id: instance, ttlMs } = this.options;
    // Of an error only its text goes from thread to thread.
    this.trouble.met(error, { instance, ttlMs, ...keyTypesOf(error) });
  }

  /** A beat that got no answer must be followed by another within the TTL. */
  private get commandTimeoutMs(): number {
    const { intervalMs, ttlMs } = this.options;
    return Math.min(5_000, Math.ceil((ttlMs - intervalMs) / 2));
  }
}
