/**
 * settle.lua, typed: how claims end, many in one step. Only a claim that is still held ends; what its outcome leaves
 * (a retry, a dead entry, the bytes back in their queue) is written in the same step.
 */
import { type DeadSetLimits, keys, LuaScript, type Outcome, type ScriptArgument } from '@tsq/core';
import type { InstanceId, Keyspace, Member } from './keyspace.js';

export const settleScript = new LuaScript(new URL('./settle.lua', import.meta.url));

/** One call of settle.lua ends no more, so that others are served in between. */
export const maxEndsPerSettle = 1_000;

/** The end of one claim. */
export interface End {
  /** undefined: the claim was released before; the outcome is written without a check. */
  readonly member: Member | undefined;
  readonly queue: string;
  readonly bytes: Buffer;
  /** `released`: the claim ends now, and the job goes on without one. */
  readonly outcome: Outcome | { readonly kind: 'released' };
}

/** What became of one End. `blocked`: its target key holds another type; it is still held, and may be sent again. */
export type EndReply = 'settled' | 'lost' | 'blocked';

export function settleKeys(keyspace: Keyspace, id: InstanceId): string[] {
  return [keyspace.instances, keyspace.jobs(id), keys.retry, keys.dead, keys.queues];
}

/** The script wants the ends that leave no trace first; so does the reply. */
export function inScriptOrder<E extends End>(ends: readonly E[]): readonly E[] {
  return [...ends.filter(leavesNoTrace), ...ends.filter((end) => !leavesNoTrace(end))];
}

export function settleArguments(
  keyspace: Keyspace,
  id: InstanceId,
  ordered: readonly End[],
  dead: DeadSetLimits,
): ScriptArgument[] {
  const plain = ordered.filter(leavesNoTrace);
  const args: ScriptArgument[] = [
    id,
    keyspace.jobPrefix,
    keys.queuePrefix,
    dead.timeoutSeconds,
    dead.maxJobs,
  ];
  args.push(plain.length);
  for (const end of plain) args.push(end.member ?? '');
  for (const end of ordered.slice(plain.length)) args.push(...entryOf(end));
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

function entryOf(end: End): ScriptArgument[] {
  const member = end.member ?? '';
  const { outcome } = end;
  switch (outcome.kind) {
    case 'retry':
      return [member, 'retry', outcome.bytes, outcome.delaySeconds];
    case 'dead':
      return [member, 'dead', outcome.bytes, ''];
    default:
      return [member, 'requeue', end.bytes, end.queue];
  }
}
