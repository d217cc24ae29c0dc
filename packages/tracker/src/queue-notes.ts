/**
 * What claims have said of queues, for whoever waits: which of them have a doorbell worth waiting for. Not those that are
 * paused, hold no list, or begin with jobs that are left to others: the bell would ring without end, or never.
 *
 * What must stay true: a claim says something of the queues that it named, and nothing of the others. Capsules name queues
 * of their own, so what one of them heard stays while another one asks.
 */
import { keys, type Logger } from '@tsq/core';
import type { ClaimReply } from './claim.js';
import type { ClaimedUnit } from './claimed-unit.js';
import { Crowds } from './crowds.js';

export class QueueNotes {
  private readonly paused = new Set<string>();
  private readonly unusable = new Set<string>();
  private readonly crowds = new Crowds();

  constructor(private readonly logger: Logger) {}

  /** @param ours of the jobs that the claim took, those that are for this process */
  note(asked: readonly string[], reply: ClaimReply, ours: readonly ClaimedUnit[]): void {
    this.logUnusable(reply.unusable);
    noteFor(this.paused, asked, reply.paused);
    noteFor(this.unusable, asked, reply.unusable);
    this.crowds.note(asked, crowdedOf(reply, ours), ours.length);
  }

  withBell(queues: readonly string[]): readonly string[] {
    return queues.filter((queue) => !this.isSilent(queue));
  }

  /** Until somebody must look at those of the queues that have no bell: whether one is unpaused is found by timer. */
  pauseMs(queues: readonly string[]): number {
    return this.crowds.pauseMs(queues);
  }

  private isSilent(queue: string): boolean {
    return this.paused.has(queue) || this.unusable.has(queue) || this.crowds.has(queue);
  }

  private logUnusable(unusable: readonly string[]): void {
    for (const queue of unusable) {
      if (this.unusable.has(queue)) continue;
      this.logger.error(
        { key: keys.queue(queue) },
        'the key of a queue holds something else than a list; it is passed over',
      );
    }
  }
}

/** Of the queues that were asked, now these; what was noted of others stays. Called for each claim. */
function noteFor(noted: Set<string>, asked: readonly string[], now: readonly string[]): void {
  if (noted.size === 0 && now.length === 0) return;
  for (const queue of asked) noted.delete(queue);
  for (const queue of now) noted.add(queue);
}

/** A job that only looked like ours goes back to the front of its queue. */
function crowdedOf(reply: ClaimReply, ours: readonly ClaimedUnit[]): readonly string[] {
  if (ours.length === reply.jobs.length) return reply.crowded;
  const kept = new Set(ours.map((unit) => unit.job));
  return [...reply.crowded, ...reply.jobs.filter((job) => !kept.has(job)).map((job) => job.queue)];
}
