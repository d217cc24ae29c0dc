/**
 * settle.lua, typed: how claims end, many in one step. Only a claim that is still held ends; what its outcome leaves
 * (a retry, a dead entry, the bytes back in their queue) is written in the same step.
 */
import { type DeadSetLimits, keys, LuaScript, type Outcome, type ScriptArgument } from '@tsq/core';
import type { ClaimedJob } from './claim.js';
import { type InstanceId, type Keyspace, memberOf } from './keyspace.js';

export const settleScript = new LuaScript(new URL('./settle.lua', import.meta.url));

/** One call of settle.lua ends no more, so that others are served in between. */
export const maxEndsPerSettle = 500;

/** `released`: its release was sent, and Redis has not confirmed it. `none`: it has. */
export type ClaimState = 'held' | 'released' | 'none';

/** The end of one claim. */
export interface End {
  readonly job: ClaimedJob;
  /** What is known of the claim: see settle.lua. */
  readonly claim: ClaimState;
  /** `released`: the claim ends now, and the job goes on without one. */
  readonly outcome: Outcome | { readonly kind: 'released' };
}

/** What became of one End. `blocked`: its target key holds another type; it is still held, and may be sent again. */
export type EndReply = 'settled' | 'lost' | 'blocked';

export function settleKeys(keyspace: Keyspace, id: InstanceId): string[] {
  return [keyspace.instances, keyspace.jobs(id), keys.retry, keys.dead, keys.queues, keyspace.recoveries];
}

/** The script wants the ends that leave no trace first, in runs; the reply counts in the same order. */
export function inScriptOrder<E extends End>(ends: readonly E[]): readonly E[] {
  const plain = ends.filter(leavesNoTrace).sort(byPlace);
  return plain.length === ends.length ? plain : [...plain, ...ends.filter((end) => !leavesNoTrace(end))];
}

export function settleArguments(
  keyspace: Keyspace,
  id: InstanceId,
  ordered: readonly End[],
  dead: DeadSetLimits,
): ScriptArgument[] {
  const args: ScriptArgument[] = [
    id,
    keyspace.jobPrefix,
    keys.queuePrefix,
    dead.timeoutSeconds,
    dead.maxJobs,
  ];
  const plain = ordered.filter(leavesNoTrace);
  const runs = runsOf(plain);
  args.push(runs.length);
  for (const { queue, batch, first, last } of runs) args.push(queue, batch, first, last);
  for (const end of ordered.slice(plain.length)) args.push(...entryOf(id, end));
  return args;
}

/** One reply for each end, in the order of `ordered`. */
export function readSettle(raw: unknown, ordered: readonly End[]): EndReply[] {
  const [registered, lost, blocked] = raw as readonly [0 | 1, number[], number[]]; // the shape that the script's header gives
  const replies = ordered.map((): EndReply => 'settled');
  // Not held, yet registered: an earlier call of ours ended it, and its reply was lost on the way.
  if (registered === 0) for (const position of lost) replies[position] = 'lost';
  for (const position of blocked) replies[position] = 'blocked';
  return replies;
}

function leavesNoTrace(end: End): boolean {
  const kind = end.outcome.kind;
  return kind === 'done' || kind === 'released' || kind === 'discarded';
}

function byPlace(one: End, other: End): number {
  return one.job.batch - other.job.batch || one.job.index - other.job.index;
}

interface Run {
  readonly queue: string;
  readonly batch: number;
  readonly first: number;
  last: number;
}

/** @param ends ordered by their place */
function runsOf(ends: readonly End[]): readonly Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const { job } of ends) {
    if (
      run !== undefined &&
      run.batch === job.batch &&
      run.last + 1 === job.index &&
      run.queue === job.queue
    ) {
      run.last = job.index;
      continue;
    }
    run = { queue: job.queue, batch: job.batch, first: job.index, last: job.index };
    runs.push(run);
  }
  return runs;
}

function entryOf(id: InstanceId, { job, claim, outcome }: End): ScriptArgument[] {
  const member = memberOf(id, job.batch, job.index, job.queue);
  switch (outcome.kind) {
    case 'retry':
      return [member, claim, 'retry', outcome.bytes, outcome.delaySeconds];
    case 'dead':
      return [member, claim, 'dead', outcome.bytes, ''];
    case 'yield':
      return [member, claim, 'yield', outcome.bytes, job.queue];
    default:
      return [member, claim, 'requeue', job.bytes, job.queue];
  }
}
