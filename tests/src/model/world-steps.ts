/** What happens around a process: recovery by the others, the time that passes, Redis that forgets, requests that are late. */
import { claimCall, executeSettle } from './calls.js';
import type { Stands } from './guards.js';
import { beat, claim, push, recover, withoutOne } from './scripts.js';
import {
  type Claim,
  type Id,
  idOf,
  lives,
  memberOf,
  type Process,
  queue,
  type State,
  type Straggler,
  sameClaim,
} from './state.js';
import { fault, progress, type Step, withUnit } from './step.js';

/**
 * For whom it finds in the registry, or in `instances:dead`, any other process that lives may call it, at any time: the
 * script alone decides. There is no lock: it spares work and guards nothing. A call names no claim, and only declares the
 * death, or one, whichever; one that has ended since its caller read it changes nothing, so those that are held are enough.
 */
export function recoveries(state: State, stands: Stands): readonly Step[] {
  const { instances, declaredDead } = state.redis;
  return [...new Set([...instances, ...declaredDead])].flatMap((id) => {
    if (!state.processes.some((process) => lives(process) && idOf(process) !== id)) return [];
    const held = state.redis.claims.filter(({ owner }) => owner === id);
    return [[], ...held.map((one) => [one])].flatMap((named) => recovery(state, id, named, stands));
  });
}

function recovery(state: State, id: Id, named: readonly Claim[], stands: Stands): readonly Step[] {
  const { redis, answer } = recover(state.redis, id, named, 'next', stands);
  if (answer === 'alive') return [];
  const wasAlive = state.redis.beats.includes(id) && answer.recovered > 0;
  const untruth = wasAlive ? `S4: ${id} lives, and its jobs were put back` : state.untruth;
  const text = `recover ${id} -> ${answer.recovered} put back, ${answer.remaining} remain`;
  return [progress(text, { ...state, redis, untruth })];
}

export function expiries(state: State): readonly Step[] {
  const living = state.processes.filter(lives).map(idOf);
  return state.redis.beats.flatMap((id) => {
    const expire = (from: State): State => {
      return { ...from, redis: { ...from.redis, beats: withoutOne(from.redis.beats, id) } };
    };
    if (!living.includes(id)) return [progress(`the heartbeat of ${id} expires`, expire(state))];
    return fault(state, 'lapses', `the heartbeat of ${id}, which lives, expires`, expire);
  });
}

export function promotions(state: State): readonly Step[] {
  return state.redis.retry.map((bytes) => {
    const redis = { ...state.redis, retry: withoutOne(state.redis.retry, bytes) };
    return progress(`job ${bytes} is due again`, { ...state, redis: push(redis, queue, 'head', [bytes]) });
  });
}

/** What is on the disk was true at some earlier moment: that is noted when it passes, and comes back later. */
export function rollbacks(state: State): readonly Step[] {
  const { disk } = state;
  if (disk === undefined) {
    return fault(state, 'rollbacks', 'what follows will not reach the disk', (left) => ({
      ...left,
      disk: left.redis,
    }));
  }
  const back = { ...state, redis: disk, disk: undefined, rolledBack: true };
  return [{ name: 'Redis restarts with what was on its disk', isFault: true, next: back }];
}

export function arrival(state: State, straggler: Straggler, stands: Stands): readonly Step[] {
  const stragglers = state.stragglers.filter((other) => other !== straggler);
  const { redis, name } = executed(state, straggler, stands);
  const isHeld =
    straggler.call === 'settle' && state.redis.claims.some((held) => sameClaim(held, straggler.claim));
  const processes = isHeld
    ? state.processes.map((process) => noteEnded(process, straggler.claim))
    : state.processes;
  return [
    { name: `late, Redis executes ${name}`, isFault: true, next: { ...state, redis, processes, stragglers } },
  ];
}

function executed(state: State, straggler: Straggler, stands: Stands) {
  if (straggler.call === 'claim') {
    const { redis } = claim(state.redis, claimCall(straggler.id, straggler.lastBatch), stands);
    return { redis, name: `the claim of ${straggler.id}` };
  }
  if (straggler.call === 'beat') {
    const { redis } = beat(state.redis, straggler.id, straggler.mode, stands);
    return { redis, name: `the beat (${straggler.mode}) of ${straggler.id}` };
  }
  const { redis } = executeSettle(state, straggler.claim, straggler.outcome, stands);
  return {
    redis,
    name: `settle ${memberOf(straggler.claim)} (job ${straggler.claim.bytes}) ${straggler.outcome}`,
  };
}

function noteEnded(process: Process, own: Claim): Process {
  const unit = process.units.find((held) => sameClaim(held.claim, own));
  return unit === undefined ? process : withUnit(process, { ...unit, ended: true });
}
