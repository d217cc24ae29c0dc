/**
 * All that can happen next. What a process does is a step of its own: to have a script executed, to get its answer. So
 * between any two of them there is a place for a death, a loss, and everybody else's steps; a process that is stopped and
 * goes on later is one that takes no step for a while, which all of them may. Steps that would change nothing are left out.
 */
import { asBuilt } from './guards.js';
import { stepsOf } from './process-steps.js';
import type { State } from './state.js';
import type { Step } from './step.js';
import { arrival, expiries, promotions, recoveries, rollbacks } from './world-steps.js';

export function stepsFrom(state: State, stands = asBuilt): readonly Step[] {
  return [
    ...state.processes.flatMap((process) => stepsOf(state, process, stands)),
    ...recoveries(state, stands),
    ...expiries(state),
    ...promotions(state),
    ...rollbacks(state),
    ...state.stragglers.flatMap((straggler) => arrival(state, straggler, stands)),
  ];
}
