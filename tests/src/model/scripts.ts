/**
 * The scripts, each as a function from Redis to Redis and an answer. They are named after the .lua files, and
 * scripts.property.test.ts holds them to these on a real Redis, key by key.
 *
 * Not here: keys of a wrong type, payloads that are gone, a full Redis. Their tests stand beside the scripts.
 */
import { asBuilt, type Stands } from './guards.js';
import {
  type BeatMode,
  type Bytes,
  type Claim,
  type Id,
  type OutcomeKind,
  type Redis,
  sameClaim,
} from './state.js';

export interface Done<A> {
  readonly redis: Redis;
  readonly answer: A;
}

export interface ClaimCall {
  readonly id: Id;
  readonly queues: readonly string[];
  readonly limit: number;
  /** The highest batch number that the process knows. */
  readonly lastBatch: number;
}

export function claim(
  redis: Redis,
  call: ClaimCall,
  stands = asBuilt,
): Done<readonly Claim[] | 'unregistered'> {
  const { id, limit } = call;
  if (stands('G1') && !redis.instances.includes(id)) return { redis, answer: 'unregistered' };
  const batch = Math.max(redis.batches[id] ?? 0, stands('G10') ? call.lastBatch : 0) + 1;
  const queues = { ...redis.queues };
  const taken: Claim[] = [];
  for (const name of call.queues) {
    if (redis.paused.includes(name)) continue;
    const list = queues[name] ?? [];
    const left = Math.max(0, list.length - (limit - taken.length));
    queues[name] = list.slice(0, left);
    for (const bytes of list.slice(left).reverse()) {
      taken.push({ owner: id, ...token(batch, taken.length, bytes, stands), queue: name, bytes });
    }
  }
  if (taken.length === 0) return { redis, answer: taken };
  const batches = { ...redis.batches, [id]: batch };
  return { redis: { ...redis, queues, batches, claims: [...redis.claims, ...taken] }, answer: taken };
}

/** Without G9 a job has the same member whenever the instance claims it. */
function token(batch: number, index: number, bytes: Bytes, stands: Stands) {
  return stands('G9') ? { batch, index } : { batch: 1, index: bytes.charCodeAt(0) };
}

export interface End {
  readonly claim: Claim;
  readonly known: 'held' | 'released' | 'none';
  readonly outcome: OutcomeKind;
  /** What the outcome leaves: the bytes with an error in them, or as they were. */
  readonly bytes: Bytes;
}

export interface SettleAnswer {
  readonly registered: boolean;
  /** Positions of those for which nothing was written. */
  readonly notHeld: readonly number[];
}

/** Ends claims of one instance. */
export function settle(redis: Redis, id: Id, ends: readonly End[], stands = asBuilt): Done<SettleAnswer> {
  const registered = redis.instances.includes(id);
  const notHeld: number[] = [];
  let after = redis;
  ends.forEach((end, position) => {
    const isHeld = redis.claims.some((held) => sameClaim(held, end.claim));
    const isFree = end.known === 'none' || (end.known === 'released' && registered);
    if (isHeld || isFree || !stands('G2')) after = ended(after, end);
    else notHeld.push(position);
  });
  return { redis: after, answer: { registered, notHeld } };
}

function ended(redis: Redis, { claim: own, outcome, bytes, known }: End): Redis {
  const claims = known === 'none' ? redis.claims : redis.claims.filter((held) => !sameClaim(held, own));
  const { retry, dead, finished } = redis;
  if (outcome === 'retry') return { ...redis, claims, retry: withOne(retry, bytes) };
  if (outcome === 'dead') return { ...redis, claims, dead: withOne(dead, bytes) };
  if (outcome === 'requeue') return { ...push(redis, own.queue, 'tail', [bytes]), claims };
  if (outcome === 'yield') return { ...push(redis, own.queue, 'head', [bytes]), claims };
  return { ...redis, claims, finished: withOne(finished, bytes) };
}

export function beat(redis: Redis, id: Id, mode: BeatMode, stands = asBuilt): Done<'renewed' | 'lapsed'> {
  const isKnown = redis.instances.includes(id);
  if (!isKnown && mode === 'renew' && stands('G6')) {
    return { redis: { ...redis, vitals: withoutOne(redis.vitals, id) }, answer: 'lapsed' };
  }
  const noted = { beats: withOne(redis.beats, id), vitals: withOne(redis.vitals, id) };
  return { redis: { ...redis, instances: withOne(redis.instances, id), ...noted }, answer: 'renewed' };
}

export interface RecoverAnswer {
  readonly declaredDead: boolean;
  readonly recovered: number;
  /** Held claims whose payload is gone: there are none here. */
  readonly missing: number;
  readonly remaining: number;
}

/** @param named claims of `id`, as they were read before: some may have ended since */
export function recover(
  redis: Redis,
  id: Id,
  named: readonly Claim[],
  position: 'next' | 'last',
  stands = asBuilt,
): Done<RecoverAnswer | 'alive'> {
  if (stands('G3') && redis.beats.includes(id)) return { redis, answer: 'alive' };
  const { instances, declaredDead, batches } = redis;
  const orphans = redis.claims.filter(({ owner }) => owner === id);
  const moved = named.flatMap((one) => orphans.filter((held) => sameClaim(held, one)));
  const remaining = orphans.length - moved.length;
  let after: Redis = {
    ...redis,
    claims: redis.claims.filter((held) => !moved.includes(held)),
    instances: stands('G4') ? withoutOne(instances, id) : instances,
    declaredDead: remaining > 0 && stands('G5') ? withOne(declaredDead, id) : withoutOne(declaredDead, id),
    batches: remaining > 0 ? batches : withoutKey(batches, id),
    vitals: remaining > 0 ? redis.vitals : withoutOne(redis.vitals, id),
  };
  for (const { queue, bytes } of moved)
    after = push(after, queue, position === 'next' ? 'tail' : 'head', [bytes]);
  return {
    redis: after,
    answer: { declaredDead: instances.includes(id), recovered: moved.length, missing: 0, remaining },
  };
}

export function retire(redis: Redis, id: Id, stands = asBuilt): Done<'gone' | 'left'> {
  const after = {
    ...redis,
    beats: withoutOne(redis.beats, id),
    vitals: withoutOne(redis.vitals, id),
  };
  const holds = redis.claims.some(({ owner }) => owner === id);
  if (holds && stands('G15')) return { redis: after, answer: 'left' };
  const instances = withoutOne(redis.instances, id);
  return { redis: { ...after, instances, batches: withoutKey(redis.batches, id) }, answer: 'gone' };
}

export function push(redis: Redis, name: string, end: 'head' | 'tail', bytes: readonly Bytes[]): Redis {
  const list = redis.queues[name] ?? [];
  const longer = end === 'head' ? [...bytes, ...list] : [...list, ...bytes];
  return {
    ...redis,
    queues: { ...redis.queues, [name]: longer },
    queueNames: withOne(redis.queueNames, name),
  };
}

export function withOne<T extends string>(set: readonly T[], one: T): readonly T[] {
  return set.includes(one) ? set : [...set, one].sort();
}

export function withoutOne<T extends string>(set: readonly T[], one: T): readonly T[] {
  return set.includes(one) ? set.filter((other) => other !== one) : set;
}

function withoutKey(record: Readonly<Record<string, number>>, key: string): Readonly<Record<string, number>> {
  const { [key]: _, ...others } = record;
  return others;
}
