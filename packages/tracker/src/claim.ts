/**
 * claim.lua, typed: how a job leaves its queue. What it took is noted as the instance's in the same step, under a member
 * that says which queue it came from.
 */
import { keys, LuaScript, type ScriptArgument } from '@tsq/core';
import type { InstanceId, Keyspace } from './keyspace.js';
import type { ScriptCall } from './round-trip.js';

const script = new LuaScript(new URL('./claim.lua', import.meta.url));

/** One call of claim.lua moves no more, so that others are served in between. */
export const maxJobsPerClaim = 500;

/** A job and where it stands among the claims of its instance: `memberOf` makes the member's text of it. */
export interface ClaimedJob {
  readonly batch: number;
  readonly index: number;
  readonly queue: string;
  readonly bytes: Buffer;
}

export interface ClaimReply {
  readonly jobs: readonly ClaimedJob[];
  /** Queues that were passed over, because they are paused. */
  readonly paused: readonly string[];
  /** Queues whose key holds something else than a list. */
  readonly unusable: readonly string[];
  /** Queues where jobs stand in front that are not for this process: a doorbell would ring for them without end. */
  readonly crowded: readonly string[];
  /** Somebody has cancelled some jobs: these, or others. */
  readonly hasCancellations: boolean;
}

const none: readonly string[] = [];

export function claimKeys(keyspace: Keyspace, id: InstanceId, queues: readonly string[]): string[] {
  const { instances, cancelled } = keyspace;
  return [
    instances,
    keyspace.claims(id),
    keyspace.jobs(id),
    cancelled,
    keys.paused,
    ...queues.map(keys.queue),
  ];
}

/** @param lastBatch the highest batch number that this process has held a claim of */
export function claimArguments(
  keyspace: Keyspace,
  id: InstanceId,
  queues: readonly string[],
  max: number,
  lastBatch: number,
): ScriptArgument[] {
  return [id, keyspace.jobPrefix, Math.min(max, maxJobsPerClaim), lastBatch, ...queues];
}

export function claimCall(
  keyspace: Keyspace,
  id: InstanceId,
  queues: readonly string[],
  max: number,
  lastBatch: number,
): ScriptCall {
  const args = claimArguments(keyspace, id, queues, max, lastBatch);
  return { script, keys: claimKeys(keyspace, id, queues), args };
}

type RawReply = readonly [
  batch: number,
  paused: number[],
  unusable: number[],
  hasCancellations: 0 | 1,
  ...taken: [number, ...Buffer[]][],
];

/** `unregistered`: the instance was declared dead, and took nothing. */
export function readClaim(raw: unknown, queues: readonly string[]): ClaimReply | 'unregistered' {
  if (Buffer.isBuffer(raw)) return 'unregistered';
  const [batch, paused, unusable, hasCancellations, ...taken] = raw as RawReply; // the shape that the script's header gives
  const nameAt = (position: number) => queues[position] ?? '';
  const jobs: ClaimedJob[] = [];
  for (const [position, ...payloads] of taken) {
    const queue = nameAt(position);
    for (const bytes of payloads) jobs.push({ batch, index: jobs.length, queue, bytes });
  }
  return {
    jobs,
    paused: paused.map(nameAt),
    unusable: unusable.map(nameAt),
    crowded: none,
    hasCancellations: hasCancellations === 1,
  };
}
