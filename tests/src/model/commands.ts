/**
 * What a random sequence is made of: each command calls a real script and the model's, compares the answers, and then every
 * key. Claims that ended long ago are settled again, instances that nobody knows recovered: nothing is too late or too odd.
 */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { misplaced } from './invariants.js';
import type { LuaScripts } from './lua-scripts.js';
import { bytesOf, keysOf, readKeys, restore } from './redis-keys.js';
import {
  beat,
  claim,
  type Done,
  type End,
  push,
  recover,
  retire,
  settle,
  withOne,
  withoutOne,
} from './scripts.js';
import {
  type BeatMode,
  type Bytes,
  type Claim,
  emptyRedis,
  type Id,
  memberOf,
  type OutcomeKind,
  type Redis,
} from './state.js';

/** The model's side of a run. */
export class Run {
  redis: Redis = emptyRedis;
  pushed: readonly Bytes[] = [];
  /** Every claim that was ever answered, ended or not. */
  claims: readonly Claim[] = [];
  /** Earlier moments, to which Redis can fall back. */
  readonly past: { readonly redis: Redis; readonly pushed: readonly Bytes[] }[] = [];
}

type Command = fc.AsyncCommand<Run, LuaScripts>;

/** One that always makes sense: the scripts themselves refuse what does not. */
function command(name: string, happens: (run: Run, real: LuaScripts) => Promise<unknown>): Command {
  return {
    check: () => true,
    toString: () => name,
    run: async (run, real) => {
      run.past.push({ redis: run.redis, pushed: run.pushed });
      await happens(run, real);
      expect(await readKeys(real.connection)).toEqual(keysOf(run.redis));
    },
  };
}

/** Lets the model do what the script did, and compares what they say. */
function agree<A>(run: Run, { redis, answer }: Done<A>, real: unknown): A {
  expect(real).toEqual(answer);
  run.redis = redis;
  return answer;
}

const queues = ['q', 'a@b', ''] as const;
const anyId: fc.Arbitrary<Id> = fc.constantFrom('x-1', 'y', 'z_0');
const anyQueue = fc.constantFrom(...queues);
const anyText = fc.oneof(
  fc.constantFrom('', '{"args":[1.0,12345678901234567890]}', '\xff\xfe\x80', 'a\0b'),
  fc.string({ unit: 'binary-ascii', maxLength: 6 }),
);

const pushes = fc.tuple(anyQueue, anyText).map(([queue, text]) =>
  command(`push ${JSON.stringify(text)} to "${queue}"`, async (run, { connection }) => {
    const bytes = `${text}#${run.pushed.length}`;
    await connection.sadd('queues', queue);
    await connection.lpush(`queue:${queue}`, bytesOf(bytes));
    run.pushed = [...run.pushed, bytes];
    run.redis = push(run.redis, queue, 'head', [bytes]);
  }),
);

const pauses = fc.tuple(anyQueue, fc.boolean()).map(([queue, isPaused]) =>
  command(`${isPaused ? 'pause' : 'unpause'} "${queue}"`, async (run, { connection }) => {
    await connection.call(isPaused ? 'SADD' : 'SREM', 'paused', queue);
    const change = isPaused ? withOne : withoutOne;
    run.redis = { ...run.redis, paused: change(run.redis.paused, queue) };
  }),
);

const beats = fc.tuple(anyId, fc.constantFrom<BeatMode>('register', 'renew')).map(([id, mode]) =>
  command(`beat ${id} (${mode})`, async (run, real) => {
    agree(run, beat(run.redis, id, mode), await real.beat(id, mode));
  }),
);

const expiries = anyId.map((id) =>
  command(`the heartbeat of ${id} expires`, async (run, { connection }) => {
    await connection.del(`tsq:instance:${id}`);
    run.redis = { ...run.redis, beats: withoutOne(run.redis.beats, id) };
  }),
);

const anyOrder = fc.shuffledSubarray([...queues], { minLength: 1 });
const claims = fc.tuple(anyId, anyOrder, fc.integer({ min: 1, max: 4 })).map(([id, order, limit]) =>
  command(`claim ${limit} for ${id} from ${JSON.stringify(order)}`, async (run, real) => {
    const batches = run.claims.filter(({ owner }) => owner === id).map(({ batch }) => batch);
    const call = { id, queues: order, limit, lastBatch: Math.max(0, ...batches) };
    const answer = agree(run, claim(run.redis, call), await real.claim(call));
    if (answer !== 'unregistered') run.claims = [...run.claims, ...answer];
  }),
);

interface Pick {
  readonly at: number;
  readonly outcome: OutcomeKind;
  readonly known: End['known'];
}

/** Claims are picked among all that the instance ever had; the youngest come first, so that many are held. */
const settlesWith = (anyKnown: fc.Arbitrary<End['known']>) => {
  const anyOutcome = fc.constantFrom<OutcomeKind>('done', 'released', 'retry', 'dead', 'requeue', 'yield');
  const anyPick: fc.Arbitrary<Pick> = fc.record({ at: fc.nat(5), outcome: anyOutcome, known: anyKnown });
  const anyPicks = fc.uniqueArray(anyPick, { minLength: 1, maxLength: 4, selector: ({ at }) => at });
  return fc.tuple(anyId, anyPicks).map(([id, picks]) =>
    command(`settle for ${id} ${JSON.stringify(picks)}`, async (run, real) => {
      const ends = endsOf(run.claims.filter(({ owner }) => owner === id).reverse(), picks);
      if (ends.length > 0) agree(run, settle(run.redis, id, ends), await real.settle(id, ends));
    }),
  );
};

function endsOf(youngest: readonly Claim[], picks: readonly Pick[]): readonly End[] {
  const ends = picks.flatMap(({ at, outcome, known }): readonly End[] => {
    const own = youngest[at];
    if (own === undefined) return [];
    const isPlain = outcome === 'done' || outcome === 'released';
    return [{ claim: own, outcome, bytes: own.bytes, known: isPlain ? 'held' : known }];
  });
  const isPlain = ({ outcome }: End) => outcome === 'done' || outcome === 'released';
  return [...ends.filter(isPlain), ...ends.filter((end) => !isPlain(end))];
}

/** By a list that may be out of date: among the youngest claims are some that ended. */
const recoveries = fc
  .tuple(
    anyId,
    fc.uniqueArray(fc.nat(5), { maxLength: 4 }),
    fc.constantFrom('next' as const, 'last' as const),
  )
  .map(([id, picks, position]) =>
    command(`recover ${JSON.stringify(picks)} of ${id} (${position})`, async (run, real) => {
      const youngest = run.claims.filter(({ owner }) => owner === id).reverse();
      const named = picks.flatMap((at) => youngest[at] ?? []);
      const answer = await real.recover(id, named.map(memberOf), position);
      agree(run, recover(run.redis, id, named, position), answer);
    }),
  );

const retirements = anyId.map((id) =>
  command(`retire ${id}`, async (run, real) => {
    agree(run, retire(run.redis, id), await real.retire(id));
  }),
);

const rollbacks = fc.integer({ min: 1, max: 6 }).map((count) =>
  command(`Redis forgets ${count} steps`, async (run, { connection }) => {
    const earlier = run.past.at(-1 - count);
    if (earlier === undefined) return;
    await restore(connection, earlier.redis);
    run.redis = earlier.redis;
    run.pushed = earlier.pushed;
  }),
);

const inPlace = (all: fc.Arbitrary<Command>) =>
  all.map((one) => ({
    ...one,
    run: async (run: Run, real: LuaScripts) => {
      await one.run(run, real);
      expect(misplaced(run.redis, run.pushed)).toBeUndefined();
    },
  }));

const others = [
  pushes,
  pushes,
  claims,
  claims,
  beats,
  beats,
  recoveries,
  expiries,
  retirements,
  pauses,
  rollbacks,
];

/** Of tracked jobs: each is at every moment in exactly one place. */
export const trackedCommands = [...others, settlesWith(fc.constant('held'))].map(inPlace);

/** With jobs whose claim was released before: they are at-most-once, and their outcomes count without a claim. */
export const allCommands = [...others, settlesWith(fc.constantFrom('held', 'released', 'none'))];
