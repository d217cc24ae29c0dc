/**
 * Which jobs a dead instance holds, by class and jid, read before they are put back: afterwards they are in their queues, among
 * others. Only for what is said of them: of many, or big ones, some go unnamed.
 */
import { Payload } from '@tsq/core';
import type { InstanceId, Keyspace, Member } from '@tsq/tracker';
import type { Redis } from 'ioredis';

export interface HeldJob {
  readonly class: string;
  /** '' when it has none. */
  readonly jid: string;
}

const mostJobs = 50;
const longestPayload = 65_536;

/** By member. At most three round trips. */
export async function heldJobs(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
): Promise<ReadonlyMap<string, HeldJob>> {
  const members = (await redis.srandmember(keyspace.jobs(id), mostJobs)) as Member[]; // our own, or read as such
  const short = await shortOnes(redis, keyspace, members);
  if (short.length === 0) return new Map();
  const payloads = await redis.mgetBuffer(short.map((member) => keyspace.job(member)));
  const jobs = new Map<string, HeldJob>();
  for (const [at, member] of short.entries()) {
    const job = read(payloads[at]);
    if (job !== undefined) jobs.set(member, job);
  }
  return jobs;
}

/** Megabytes are not worth a name. */
async function shortOnes(
  redis: Redis,
  keyspace: Keyspace,
  members: readonly Member[],
): Promise<readonly Member[]> {
  if (members.length === 0) return [];
  const pipeline = redis.pipeline();
  for (const member of members) pipeline.strlen(keyspace.job(member));
  const lengths = (await pipeline.exec()) ?? [];
  return members.filter((_member, at) => {
    const length = lengths[at]?.[1]; // none of a key of another type: there is no payload to read
    return typeof length === 'number' && length <= longestPayload;
  });
}

function read(bytes: Buffer | null | undefined): HeldJob | undefined {
  if (bytes === null || bytes === undefined) return undefined;
  try {
    const payload = Payload.parse(bytes);
    const name = payload.string('display_class') ?? payload.string('wrapped') ?? payload.class;
    return { class: name, jid: payload.jid ?? '' };
  } catch {
    return undefined; // bytes that nobody can read have no name
  }
}
