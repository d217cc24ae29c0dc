/** The calls of a process, which may be executed at once or, when they are late, by themselves. */
import type { Stands } from './guards.js';
import { type ClaimCall, settle } from './scripts.js';
import { type Claim, type Id, type OutcomeKind, queue, type State } from './state.js';

export function claimCall(id: Id, lastBatch: number): ClaimCall {
  return { id, queues: [queue], limit: 1, lastBatch };
}

export function executeSettle(state: State, own: Claim, outcome: OutcomeKind, stands: Stands) {
  return settle(state.redis, own.owner, [{ claim: own, known: 'held', outcome, bytes: own.bytes }], stands);
}
