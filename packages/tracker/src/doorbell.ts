/**
 * What wakes an idle worker: one blocked connection for each queue. `BLMOVE q q RIGHT RIGHT` blocks until the queue has a
 * job and leaves the list as it was, so a crash or a frozen host can't lose one here: only a claim takes jobs.
 *
 * A bell wakes those who wait for its queue, and no other capsule of the process. A bell that does not work (a full Redis refuses BLMOVE, a replica too) rings by timer instead.
 */
import {
  type ConnectionReporter,
  failureKind,
  keys,
  type Logger,
  openConnection,
  type RedisLocation,
  Trouble,
  whenReady,
} from '@tsq/core';
import type { Redis } from 'ioredis';

/** Of those that one call waits for, queues beyond so many get no connection of their own: they are asked by timer. */
const maxBells = 8;
const blockSeconds = 5;
const timerMs = 1_000;

export interface DoorbellsOptions {
  readonly location: RedisLocation;
  /** What CLIENT LIST shows. */
  readonly connectionName: string;
  readonly logger: Logger;
  readonly report?: ConnectionReporter | undefined;
}

export class Doorbells {
  private readonly bells = new Map<string, Bell>();
  /** Each with the queues that it waits for. */
  private readonly sleepers = new Map<() => void, readonly string[]>();
  private readonly troubles: BellTroubles;
  private isClosed = false;

  constructor(private readonly options: DoorbellsOptions) {
    this.troubles = new BellTroubles(options.logger);
  }

  /**
   * Resolves when one of `queues` may have a job, on `wake`, when `signal` aborts, or after a while: after `longestMs`, when
   * somebody must look at queues that have no bell.
   */
  async wait(
    queues: readonly string[],
    signal: AbortSignal,
    mode: 'until-rung' | { readonly longestMs: number },
  ): Promise<void> {
    if (this.isClosed || signal.aborted) return;
    const armed = queues.slice(0, maxBells).map((queue) => this.bellOf(queue));
    const works =
      armed.map((bell) => bell.arm()).every(Boolean) && armed.length === queues.length && armed.length > 0;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.sleepers.delete(wake);
        resolve();
      };
      const ownMs = works ? blockSeconds * 1_000 : timerMs;
      const timer = setTimeout(wake, mode === 'until-rung' ? ownMs : Math.min(ownMs, mode.longestMs));
      signal.addEventListener('abort', wake, { once: true });
      this.sleepers.set(wake, queues);
    });
  }

  wake(): void {
    for (const wake of [...this.sleepers.keys()]) wake();
  }

  close(): void {
    this.isClosed = true;
    for (const bell of this.bells.values()) bell.close();
    this.wake();
  }

  private ring(queue: string): void {
    for (const [wake, queues] of [...this.sleepers]) {
      if (queues.includes(queue)) wake();
    }
  }

  private bellOf(queue: string): Bell {
    const known = this.bells.get(queue);
    if (known !== undefined) return known;
    const { location, connectionName, report } = this.options;
    const redis = openConnection(location, {
      name: connectionName,
      logger: this.options.logger,
      report,
      // A blocked command that is not answered in time hangs on a dead connection.
      commandTimeoutMs: (blockSeconds + 5) * 1_000,
    });
    const bell = new Bell(redis, queue, this.troubles, () => this.ring(queue));
    this.bells.set(queue, bell);
    return bell;
  }
}

class Bell {
  private isArmed = false;
  private isClosed = false;
  private works = true;

  constructor(
    private readonly redis: Redis,
    private readonly queue: string,
    private readonly troubles: BellTroubles,
    private readonly onRing: () => void,
  ) {}

  /** Says whether it can be trusted to ring. */
  arm(): boolean {
    if (!this.isArmed && !this.isClosed) {
      this.isArmed = true;
      void this.listen();
    }
    return this.works;
  }

  close(): void {
    this.isClosed = true;
    this.redis.disconnect();
  }

  private async listen(): Promise<void> {
    const key = keys.queue(this.queue);
    try {
      await whenReady(this.redis, blockSeconds * 1_000);
      const moved = await this.redis.callBuffer('BLMOVE', key, key, 'RIGHT', 'RIGHT', blockSeconds);
      this.isArmed = false;
      this.worked();
      if (moved !== null) this.onRing();
    } catch (error) {
      this.isArmed = false;
      this.failed(error);
    }
  }

  private worked(): void {
    if (!this.works) this.troubles.over(this.queue);
    this.works = true;
  }

  private failed(error: unknown): void {
    if (this.isClosed) return;
    this.works = false;
    this.troubles.met(this.queue, error);
  }
}

/** Speaks for all bells: what keeps one from ringing as a rule keeps them all, and a queue's own trouble is of another kind. */
class BellTroubles {
  private readonly silent = new Set<string>();
  private readonly byKind = new Map<string, Trouble>();

  constructor(private readonly logger: Logger) {}

  met(queue: string, error: unknown): void {
    const kind = failureKind(error);
    const what = `An idle worker can't block on its queues and asks each ${timerMs} ms instead`;
    const trouble = this.byKind.get(kind) ?? new Trouble(this.logger, what, 'warn');
    this.byKind.set(kind, trouble);
    this.silent.add(queue);
    trouble.met(error, { queue });
  }

  over(queue: string): void {
    this.silent.delete(queue);
    if (this.silent.size > 0) return;
    for (const trouble of this.byKind.values()) trouble.over();
    this.byKind.clear();
  }
}
