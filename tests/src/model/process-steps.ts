/**
 * What a process does, and hears: beats on one connection, claims, settles and comparisons on another, one call at a time on
 * each. The scripts' side is in scripts.ts; here are the guards that are the process' own.
 */

import { claimCall, executeSettle } from './calls.js';
import type { Stands } from './guards.js';
import { everyJobHasEnded, namespaceIds } from './invariants.js';
import { beat, claim, retire } from './scripts.js';
import {
  type Answer,
  type Claim,
  idOf,
  lives,
  memberOf,
  type OutcomeKind,
  type Process,
  queue,
  type State,
  sameClaim,
  type Unit,
} from './state.js';
import { fault, namesOf, progress, put, type Step, withoutUnit, withStraggler, withUnit } from './step.js';

/** So many jobs has a process in its hands at most. */
const capacity = 2;

export function stepsOf(state: State, process: Process, stands: Stands): readonly Step[] {
  if (!lives(process)) return starts(state, process);
  return [
    ...beats(state, process, stands),
    ...(process.answers.length === 0
      ? [...settles(state, process, stands), ...looks(state, process, stands)]
      : answers(state, process)),
    ...claims(state, process, stands),
    ...stops(state, process, stands),
    ...kills(state, process),
  ];
}

function starts(state: State, process: Process): readonly Step[] {
  const isFirst = process.ids === 0;
  const nobodyLives = !state.processes.some(lives);
  const hasWork = !everyJobHasEnded(state) || namespaceIds(state.redis).length > 0;
  if (!hasWork || !(isFirst || nobodyLives)) return [];
  const started: Process = { ...withNewId(process), phase: 'starting' };
  return [progress(`${process.name} starts as ${idOf(started)}`, put(state, started))];
}

function withNewId(process: Process): Process {
  return { ...process, ids: process.ids + 1, registered: false, lastBatch: 0 };
}

// --- beat

function beats(state: State, process: Process, stands: Stands): readonly Step[] {
  const id = idOf(process);
  if (process.beat !== undefined) return beatAnswers(state, process, process.beat, stands);
  const { redis } = state;
  const isFine = redis.beats.includes(id) && redis.instances.includes(id);
  if (process.phase === 'stopping' || (isFine && process.phase === 'up')) return [];
  const mode = process.registered && stands('G7') ? 'renew' : 'register';
  const sent: Process = { ...process, registered: true };
  const { redis: after, answer } = beat(redis, id, mode, stands);
  const isNews = answer === 'lapsed' || process.phase === 'starting';
  const call = `${id} beat (${mode})`;
  return [
    progress(`${call} -> ${answer}`, {
      ...put(state, { ...sent, beat: isNews ? answer : undefined }),
      redis: after,
    }),
    ...fault(state, 'losses', `${call} gets no answer and is still on the way`, (left) =>
      withStraggler(put(left, sent), { call: 'beat', id, mode }),
    ),
  ];
}

function beatAnswers(
  state: State,
  process: Process,
  answer: 'renewed' | 'lapsed',
  stands: Stands,
): readonly Step[] {
  const heard: Process = { ...process, beat: undefined };
  const lost = fault(state, 'losses', `the answer to the beat of ${idOf(process)} is lost`, (left) =>
    put(left, heard),
  );
  if (answer === 'renewed') {
    const phase = heard.phase === 'starting' ? 'up' : heard.phase;
    return [progress(`${idOf(process)} hears that it lives`, put(state, { ...heard, phase })), ...lost];
  }
  const renewed = stands('G8') ? withNewId(heard) : { ...heard, registered: false };
  return [
    progress(`${idOf(process)} hears that it lapsed, is now ${idOf(renewed)}`, put(state, renewed)),
    ...lost,
  ];
}

// --- claim

function claims(state: State, process: Process, stands: Stands): readonly Step[] {
  const waiting = state.redis.queues[queue] ?? [];
  const running = process.units.filter(({ outcome }) => outcome === undefined);
  const isAsking = process.answers.some(({ to }) => to === 'claim');
  if (process.phase !== 'up' || isAsking || running.length >= capacity || waiting.length === 0) return [];
  const id = idOf(process);
  const { redis, answer } = claim(state.redis, claimCall(id, process.lastBatch), stands);
  if (answer === 'unregistered') return [];
  const asked: Process = { ...process, answers: [...process.answers, { to: 'claim', claims: answer }] };
  return [
    progress(`${id} claims ${namesOf(answer)}`, { ...put(state, asked), redis }),
    ...fault(state, 'losses', `a claim of ${id} gets no answer and is still on the way`, (left) =>
      withStraggler(left, { call: 'claim', id, lastBatch: process.lastBatch }),
    ),
  ];
}

// --- settle

function settles(state: State, process: Process, stands: Stands): readonly Step[] {
  return process.units.flatMap((unit) => {
    if (unit.outcome !== undefined)
      return stands('G12') ? settleWith(state, process, unit, unit.outcome, stands) : [];
    return [
      ...settleWith(state, process, unit, 'done', stands),
      ...(process.phase === 'stopping' ? settleWith(state, process, unit, 'requeue', stands) : []),
      ...fault(state, 'failures', '', (left) => left).flatMap(({ next }) =>
        settleWith(next, process, unit, 'retry', stands).map((step) => ({ ...step, isFault: true })),
      ),
    ];
  });
}

function settleWith(
  state: State,
  process: Process,
  unit: Unit,
  outcome: OutcomeKind,
  stands: Stands,
): readonly Step[] {
  const { claim: own } = unit;
  const { redis, answer } = executeSettle(state, own, outcome, stands);
  const isHeld = state.redis.claims.some((held) => sameClaim(held, own));
  const sent: Unit = { ...unit, outcome, ended: unit.ended || isHeld };
  const isLost = answer.notHeld.length > 0 && !answer.registered && stands('G14');
  const told = isLost ? 'lost' : 'settled';
  const answers: readonly Answer[] = [{ to: 'settle', claim: own, answer: told }];
  const asked: Process = { ...withUnit(process, sent), answers };
  const call = `${memberOf(own)} (job ${own.bytes}) ${outcome}`;
  return [
    progress(`settle ${call} -> ${told}`, { ...put(state, asked), redis }),
    ...fault(state, 'losses', `settle ${call} gets no answer and is still on the way`, (left) =>
      withStraggler(put(left, withUnit(process, { ...unit, outcome })), {
        call: 'settle',
        claim: own,
        outcome,
      }),
    ),
  ];
}

// --- answers on the connection that claims

/** The first comes, or the connection breaks and none does. */
function answers(state: State, process: Process): readonly Step[] {
  const [answer, ...others] = process.answers;
  if (answer === undefined) return [];
  const heard: Process = { ...process, answers: others };
  const what =
    answer.to === 'claim' ? `claim of ${namesOf(answer.claims)}` : `settle of ${memberOf(answer.claim)}`;
  return [
    progress(`${process.name} gets the answer to the ${what}`, hear(state, heard, answer)),
    ...fault(state, 'losses', `the answer to the ${what} is lost`, (left) =>
      put(left, { ...heard, answers: [] }),
    ),
  ];
}

function hear(state: State, process: Process, answer: Answer): State {
  if (answer.to === 'claim') return put(state, answer.claims.reduce(holding, process));
  const unit = process.units.find(({ claim: own }) => sameClaim(own, answer.claim));
  const told = put(state, withoutUnit(process, answer.claim));
  if (answer.answer === 'lost' || unit?.ended || state.rolledBack) return told;
  return { ...told, untruth: `S2: ${memberOf(answer.claim)} was told "settled", and its outcome is nowhere` };
}

function holding(process: Process, own: Claim): Process {
  const lastBatch = own.owner === idOf(process) ? Math.max(process.lastBatch, own.batch) : process.lastBatch;
  return {
    ...process,
    lastBatch,
    units: [...process.units, { claim: own, outcome: undefined, ended: false }],
  };
}

// --- reconciliation: after a loss, and at each beat, Redis' books and the process' are compared

function looks(state: State, process: Process, stands: Stands): readonly Step[] {
  const id = idOf(process);
  const noted = state.redis.claims.filter(({ owner }) => owner === id);
  const unknown = noted.filter((own) => !process.units.some((unit) => sameClaim(unit.claim, own)));
  const missing = process.units.filter(
    (unit) =>
      !state.redis.claims.some((held) => sameClaim(held, unit.claim)) &&
      (unit.outcome === undefined || !stands('G13')),
  );
  const adopted = stands('G11') ? unknown : [];
  if (adopted.length + missing.length === 0) return [];
  const after = adopted.reduce(
    holding,
    missing.reduce((left, unit) => withoutUnit(left, unit.claim), process),
  );
  const name = `${id} compares: adopts ${namesOf(adopted) || 'none'}, has lost ${namesOf(missing.map((unit) => unit.claim)) || 'none'}`;
  return [progress(name, { ...put(state, after), untruth: untrueLoss(state, missing) ?? state.untruth })];
}

function untrueLoss(state: State, missing: readonly Unit[]): string | undefined {
  const wronged = missing.find(({ ended, claim: own }) => ended && state.redis.instances.includes(own.owner));
  if (wronged === undefined || state.rolledBack) return undefined;
  return `S2: ${memberOf(wronged.claim)} was told "lost", and its own settle has ended it`;
}

// --- the end of a process

function stops(state: State, process: Process, stands: Stands): readonly Step[] {
  if (process.phase === 'stopping')
    return process.beat === undefined ? [retirement(state, process, stands)] : [];
  if (process.phase !== 'up') return [];
  const stopping = put(state, { ...process, phase: 'stopping' });
  if (isTidy(state)) return [progress(`${process.name} is told to stop`, stopping)];
  return fault(state, 'stops', `${process.name} is told to stop`, (left) =>
    put(left, { ...process, phase: 'stopping' }),
  );
}

/** Also with claims in its hands: then the deadline has passed. */
function retirement(state: State, process: Process, stands: Stands): Step {
  const { redis, answer } = retire(state.redis, idOf(process), stands);
  return progress(`${idOf(process)} retires -> ${answer}`, { ...put(state, gone(process)), redis });
}

/** Nothing is left to do but to go. */
function isTidy(state: State): boolean {
  const living = state.processes.filter(lives).map(idOf);
  return everyJobHasEnded(state) && namespaceIds(state.redis).every((id) => living.includes(id));
}

function kills(state: State, process: Process): readonly Step[] {
  return fault(state, 'kills', `${process.name} is killed`, (left) => put(left, gone(process)));
}

function gone(process: Process): Process {
  return { ...process, phase: 'down', units: [], answers: [], beat: undefined };
}
