/** What must hold of each job: it is done once, in one place at a time, with its own bytes; or a fault explains that it is not. */
import type { FinalState } from '../stage/final-state.js';
import type { Circumstances } from './circumstances.js';
import type { Cause, Violation } from './report.js';
import { type Claim, type JobStory, ownerOf, type Run, type Story } from './story.js';

/** Which ends give a job back. */
const returning: ReadonlySet<string> = new Set(['retry', 'requeue', 'yield']);

export class JobRules {
  readonly violations: Violation[] = [];
  readonly duplicates: Record<Cause, number> = {
    ...{ 'death before settle': 0, 'false death': 0, 'lost tail': 0 },
    ...{ stop: 0, 'reply lost': 0 },
  };
  overlaps = 0;
  lostUntracked = 0;
  lostWithTail = 0;
  private readonly placed: ReadonlyMap<string, readonly string[]>;

  constructor(
    private readonly story: Story,
    private readonly circumstances: Circumstances,
    final: FinalState,
  ) {
    const placed = new Map<string, string[]>();
    for (const { jid, hash } of final.jobs) placed.set(jid, [...(placed.get(jid) ?? []), hash]);
    this.placed = placed;
  }

  check(job: JobStory): void {
    if (job.enqueued === 0) this.break('unexpected', job, 'ran, and nobody enqueued it');
    this.checkLost(job);
    this.checkClaims(job);
    this.checkBytes(job);
    if (job.enqueued > 1) return; // two jobs of one name
    this.checkDuplicates(job);
    this.checkOverlaps(job);
  }

  private checkLost(job: JobStory): void {
    const isDone = job.runs.some(({ how }) => how === 'end');
    if (!job.isAcknowledged || isDone || this.placed.has(job.jid)) return;
    if (job.claims.some(({ token }) => this.story.buried.has(token))) return; // dropped as poison, visibly
    const { enqueueSentAt = 0, enqueuedAt = 0 } = job;
    if (!job.isTracked && job.runs.some((run) => this.mayEndUnheard(run))) this.lostUntracked += 1;
    else if (this.circumstances.isInLostTail(enqueueSentAt, enqueuedAt)) this.lostWithTail += 1;
    else this.break('lost', job, 'was acknowledged, has no end, and is nowhere');
  }

  /** At-most-once: from the begin of its perform on an untracked job dies with its process. */
  private mayEndUnheard(run: Run): boolean {
    const hasDied = this.circumstances.diedAt(run.pid) !== undefined;
    const isUnknown = (this.story.ends.get(run.token) ?? []).some(({ answer }) => answer === 'unknown');
    return hasDied || isUnknown || this.circumstances.rollbacksBetween(run.startAt, this.story.endsAt) > 0;
  }

  /** Each claim but the first needs that an earlier one was given back: once for each. */
  private checkClaims(job: JobStory): void {
    const claims = [...job.claims].sort((a, b) => a.at - b.at);
    const first = claims[0]?.sentAt ?? 0;
    claims.forEach((claim, index) => {
      const given = claims.reduce((sum, each) => sum + this.timesGivenBack(job, each, claim.at), 0);
      const rollbacks = this.circumstances.rollbacksBetween(
        Math.min(first, job.enqueuedAt ?? first),
        claim.at,
      );
      if (index + 1 <= Math.max(1, job.enqueued) + given + rollbacks) return;
      const before = claims.slice(0, index).map(({ token }) => token);
      this.break(
        'twice recovered',
        job,
        `was taken as ${claim.token}, and not given back since ${before.join(', ')}`,
      );
    });
  }

  private timesGivenBack(
    { isTracked }: JobStory,
    { token, owner, sentAt, isAdopted }: Claim,
    before: number,
  ): number {
    const ends = (this.story.ends.get(token) ?? []).filter(
      (end) => returning.has(end.kind) && end.answer !== 'refused' && end.sentAt < before,
    );
    // Of an untracked job the claim has ended: its retry is written again when no answer came, rather than not at all.
    if (ends.length > 0) return isTracked ? 1 : ends.length;
    const after = isAdopted ? 0 : sentAt;
    return this.circumstances.recoveriesOf(owner, after, before).length > 0 ? 1 : 0;
  }

  private checkBytes(job: JobStory): void {
    const hashes = new Set(job.claims.map(({ hash }) => hash).filter((hash) => hash !== undefined));
    for (const hash of this.placed.get(job.jid) ?? []) hashes.add(hash);
    if (hashes.size > Math.max(1, job.enqueued))
      this.break('bytes', job, `came as ${[...hashes].join(', ')}`);
    const changed = job.claims.find(
      ({ args }) => args !== undefined && job.args !== undefined && args !== job.args,
    );
    if (changed !== undefined && job.enqueued === 1)
      this.break('bytes', job, `args are ${changed.args} in ${changed.token}, and were ${job.args}`);
  }

  private checkDuplicates(job: JobStory): void {
    const done = inOrderOfClaims(
      job,
      job.runs.filter(({ how }) => how === 'end'),
    );
    done.slice(1).forEach((again, index) => {
      const before = done[index];
      if (before === undefined) return;
      const cause = this.causeOf(job, before, again);
      if (cause === undefined) {
        this.break('duplicated', job, `done as ${before.token} and again as ${again.token}`);
        return;
      }
      this.duplicates[cause] += 1;
    });
  }

  private causeOf(job: JobStory, before: Run, again: Run): Cause | undefined {
    const { circumstances, story } = this;
    const ends = story.ends.get(before.token) ?? [];
    if (ends.some(({ kind, answer }) => (kind === 'requeue' || kind === 'yield') && answer !== 'refused'))
      return 'stop';
    const claimedAt = claimedAtOf(job, before);
    const recoveries = circumstances.recoveriesOf(ownerOf(before.token), claimedAt, again.startAt);
    const settledAt = ends.find(({ kind, answer }) => kind === 'ended' && answer === 'accepted')?.sentAt;
    // What Redis confirmed before anybody took the instance for dead does not come back.
    const explaining = recoveries.find(({ sentAt }) => settledAt === undefined || sentAt < settledAt);
    if (explaining !== undefined)
      return circumstances.wasDead(explaining) ? 'death before settle' : 'false death';
    if (!job.isTracked && this.hasUnanswered(job, again.startAt)) return 'reply lost';
    // What came back then may have failed, and been retried, beside what had gone on.
    const since = Math.min(job.enqueuedAt ?? before.startAt, before.startAt);
    return circumstances.rollbacksBetween(since, again.startAt) > 0 ? 'lost tail' : undefined;
  }

  /** Some end of it got no answer, and was sent again. */
  private hasUnanswered({ claims }: JobStory, before: number): boolean {
    const ends = claims.flatMap(({ token }) => this.story.ends.get(token) ?? []);
    return ends.some(({ answer, sentAt }) => answer === 'unknown' && sentAt < before);
  }

  private checkOverlaps(job: JobStory): void {
    const runs = inOrderOfClaims(job, job.runs);
    runs.slice(1).forEach((later, index) => {
      const earlier = runs[index];
      if (earlier === undefined) return;
      if (later.startAt >= this.finishOf(earlier) || earlier.startAt >= this.finishOf(later)) return;
      const isTold = earlier.abortAt !== undefined && earlier.abortAt <= later.startAt;
      if (isTold || this.causeOf(job, earlier, later) !== undefined) this.overlaps += 1;
      else this.break('overlap', job, `runs as ${earlier.token} and as ${later.token} at once`);
    });
  }

  /** A run that was told to stop and says no more has ended then. */
  private finishOf({ endAt, abortAt, pid }: Run): number {
    return endAt ?? abortAt ?? this.circumstances.diedAt(pid) ?? this.story.endsAt;
  }

  private break(rule: Violation['rule'], { jid }: JobStory, text: string): void {
    this.violations.push({ rule, subject: jid, text });
  }
}

/** Who was frozen between his claim and its reply begins after him who has taken the job meanwhile. */
function inOrderOfClaims(job: JobStory, runs: readonly Run[]): readonly Run[] {
  return runs.toSorted((a, b) => claimedAtOf(job, a) - claimedAtOf(job, b) || a.startAt - b.startAt);
}

function claimedAtOf(job: JobStory, run: Run): number {
  return job.claims.find(({ token }) => token === run.token)?.sentAt ?? run.startAt;
}
