/**
 * Whether Redis was away for so long that the heartbeats of the living may have run out with those of the dead. Then
 * nobody is declared dead before all had one TTL to come back (S4): else everybody's jobs would run twice after each longer
 * outage. It counts what this process sees, with a clock that only measures time: a wrong date changes nothing (S6).
 */
import type { Redis } from 'ioredis';

export class Absence {
  private lastAnswerAt = performance.now();
  private isAway = false;
  private graceUntil = 0;

  constructor(
    redis: Redis,
    private readonly ttlMs: number,
    private readonly onLongAbsence: (awayMs: number) => void,
  ) {
    redis.on('close', () => {
      this.isAway = true;
    });
    redis.on('ready', () => this.onReady());
  }

  /** To be called when Redis has answered: an absence is counted from the last time. */
  answered(): void {
    this.lastAnswerAt = performance.now();
  }

  /** 0 when deaths may be declared. */
  get graceLeftMs(): number {
    return Math.max(0, this.graceUntil - performance.now());
  }

  private onReady(): void {
    const now = performance.now();
    const awayMs = this.isAway ? now - this.lastAnswerAt : 0;
    this.isAway = false;
    this.lastAnswerAt = now;
    // An interval is at most half a TTL, so a shorter absence has let nobody's heartbeat run out.
    if (awayMs < this.ttlMs / 2) return;
    this.graceUntil = now + this.ttlMs;
    this.onLongAbsence(awayMs);
  }
}
