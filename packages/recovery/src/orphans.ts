/**
 * What a dead instance holds, read in pieces, so that no call holds up Redis however many there are, and put into the order in
 * which recover.lua is to take them. A list is out of date as soon as it is read: the script passes over what is not held any
 * more. Nothing joins it, for who was declared dead claims nothing.
 */
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import type { OrphanPosition } from './recover.js';

/** So many are put into order: more than an instance claims, and sorted in some 10 ms, for jobs run on this thread too. */
const orderedAtOnce = 20_000;
/** Members that one call of Redis reads. */
const perCall = 500;

/**
 * All of them, in lists of `atMost`, or a few more. Members stay bytes: the name of a queue need not be UTF-8. By `next` the
 * last one of a list will be fetched first, by `last` the first one: the oldest claim in both.
 */
export async function* orphansOf(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  position: OrphanPosition,
  atMost: number = orderedAtOnce,
): AsyncGenerator<readonly Buffer[]> {
  let members: Buffer[] = [];
  let cursor = '0';
  do {
    const [next, page] = await redis.sscanBuffer(keyspace.jobs(id), cursor, 'COUNT', perCall);
    cursor = String(next);
    members.push(...page);
    if (members.length < atMost && cursor !== '0') continue;
    if (members.length > 0) yield inOrder(members, id, position);
    members = [];
  } while (cursor !== '0');
}

function inOrder(members: readonly Buffer[], id: InstanceId, position: OrphanPosition): readonly Buffer[] {
  const sign = position === 'next' ? -1 : 1;
  const ranked = members.map((member) => ({ member, rank: rankOf(member, id.length + 1) }));
  ranked.sort((one, other) => sign * (one.rank - other.rank) || Buffer.compare(one.member, other.member));
  const sorted = ranked.map(({ member }) => member);
  return sorted.filter((member, place) => sorted[place - 1]?.equals(member) !== true); // SSCAN may name one twice
}

const [zero, nine, dot, at] = [48, 57, 46, 64];

/** The age that a member of ours says, by its batch and its index; a stranger's comes first. */
function rankOf(member: Buffer, from: number): number {
  const batch = digits(member, from);
  if (member[batch.end] !== dot) return 0;
  const index = digits(member, batch.end + 1);
  return member[index.end] === at ? batch.value * 1_000_000 + index.value : 0;
}

function digits(member: Buffer, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let end = from; ; end += 1) {
    const byte = member[end] ?? 0;
    if (byte < zero || byte > nine) return { value, end };
    value = value * 10 + byte - zero;
  }
}
