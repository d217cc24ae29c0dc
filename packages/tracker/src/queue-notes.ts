/**
 * What the last claims said of the queues: which are paused, hold no list, or begin with jobs that are not for this process.
 * For those no doorbell is waited: it would ring without end. Kept by queue, for each capsule asks for its own.
 */
import { keys, type Logger } from '@tsq/core';
import type { ClaimReply } from './claim.js';

/** Where others' jobs stand in front: the first is the pause after a find, and it doubles up to the second. */
const shortestCrowdPauseMs = 50;
const longestPauseMs = 1_000;

export class QueueNotes {
  private readonly paused = new Set<string>();
  private readonly unusable = new Set<string>();
  private readonly crowded = new Set<string>();
  private crowdPauseMs = shortestCrowdPauseMs;

  constructor(private readonly logger: Logger) {}

  /** What a claim that asked for these queues has found. */
  note(asked: readonly string[], { paused, unusable, crowded }: ClaimReply): void {
    for (const queue of unusable) {
      if (this.unusable.has(queue)) continue;
      this.logger.error(
        { key: keys.queue(queue) },
        'the key of a queue holds something else than a list; it is passed over',
      );
    }
    noteFor(this.paused, asked, paused);
    noteFor(this.unusable, asked, unusable);
    noteFor(this.crowded, asked, crowded);
  }

  /** Jobs of these queues were taken that are not for this process: they stand in front again. */
  noteForeign(queues: readonly string[]): void {
    for (const queue of queues) this.crowded.add(queue);
  }

  /** Whether the last look past others' jobs found some of ours. */
  noteFind(found: 'some' | 'none'): void {
    this.crowdPauseMs =
      found === 'some' ? shortestCrowdPauseMs : Math.min(2 * this.crowdPauseMs, longestPauseMs);
  }

  /** Those whose doorbell tells something. */
  audible(queues: readonly string[]): readonly string[] {
    return queues.filter(
      (queue) => !this.paused.has(queue) && !this.unusable.has(queue) && !this.crowded.has(queue),
    );
  }

  /** How long to wait for queues of which some are not audible. */
  pauseMsFor(queues: readonly string[]): number {
    return queues.some((queue) => this.crowded.has(queue)) ? this.crowdPauseMs : longestPauseMs;
  }
}

/** Of the queues that were asked, now these; what was noted of others stays. Called for each claim. */
function noteFor(noted: Set<string>, asked: readonly string[], now: readonly string[]): void {
  if (noted.size === 0 && now.length === 0) return;
  for (const queue of asked) noted.delete(queue);
  for (const queue of now) noted.add(queue);
}
