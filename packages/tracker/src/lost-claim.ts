/** What is told of a claim that is another's by now: which job, as far as its payload can be read. */
import { Payload, TsqError } from '@tsq/core';
import type { ClaimedUnit } from './claimed-unit.js';
import type { InstanceId, Member } from './keyspace.js';

export interface LostClaim {
  /** The id under which it was claimed. */
  readonly instance: InstanceId;
  readonly member: Member;
  readonly queue: string;
  /** undefined in a payload that can not be read, as `class` is. */
  readonly jid: string | undefined;
  readonly class: string | undefined;
}

/** What it throws is logged. */
export type LostClaimListener = (claim: LostClaim) => void;

export function lostClaimOf({ owner: instance, member, queue, bytes }: ClaimedUnit): LostClaim {
  const payload = parse(bytes);
  return { instance, member, queue, jid: payload?.jid, class: payload?.class };
}

function parse(bytes: Buffer): Payload | undefined {
  try {
    return Payload.parse(bytes);
  } catch (error) {
    if (error instanceof TsqError) return undefined; // whoever runs it next finds that out, and buries it
    throw error;
  }
}
