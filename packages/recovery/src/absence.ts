/**
 * Whether Redis was away for so long that the heartbeats of the living may have run out with those of the dead. Then
 * nobody is declared dead before all had one TTL to come back (S4): else everybody's jobs would run twice after each longer
 * outage. It counts what this process sees, with a clock that only measures time: a wrong date changes nothing (S6).
 */
import type { Redis } from 'ioredis';

export class Absence {
  private lastAnswerAt = performance.now();
  private isAsking = false;
  private awaySince: number | undefined;
  private graceUntil = 0;

  constructor(
    redis: Redis,
    private readonly ttlMs: number,
    private readonly onLongAbsence: (awayMs: number) => void,
  ) {
    redis.on('close', () => this.onClose());
    redis.on('ready', () => this.onReady());
  }

  /** To be called before Redis is asked: from here on it owes an answer. */
  asking(): void {
    this.isAsking = true;
  }

  /** To be called when Redis has answered, be it with a refusal of this very command. */
  answered(): void {
    this.isAsking = false;
    this.lastAnswerAt = performance.now();
  }

  /** 0 when deaths may be declared. */
  get graceLeftMs(): number {
    return Math.max(0, this.graceUntil - performance.now());
  }

  /**
   * An idle connection is closed by the other side, and that is told at once. One that closes while an answer is owed may
   * have been dead, in silence, since the last answer: only the question found it out.
   */
  private onClose(): void {
    this.awaySince ??= this.isAsking ? this.lastAnswerAt : performance.now();
  }

  private onReady(): void {
    const now = performance.now();
    const awayMs = now - (this.awaySince ?? now);
    this.awaySince = undefined;
    this.isAsking = false;
    this.lastAnswerAt = now;
    // A beat comes at least twice in a TTL, and whoever beats needs a moment too until he is connected again.
    if (awayMs < this.ttlMs / 4) return;
    this.graceUntil = now + this.ttlMs;
    this.onLongAbsence(awayMs);
  }
}
