/** One step, and how the state behind it is made of the one before. */
import {
  type Claim,
  type Faults,
  memberOf,
  type Process,
  type State,
  type Straggler,
  sameClaim,
  type Unit,
} from './state.js';

export interface Step {
  readonly name: string;
  /** It is the fault of the world; all others come in the end, when nothing more goes wrong. */
  readonly isFault: boolean;
  readonly next: State;
}

export function progress(name: string, next: State): Step {
  return { name, isFault: false, next };
}

export function fault(
  state: State,
  kind: keyof Faults,
  name: string,
  happens: (left: State) => State,
): readonly Step[] {
  const count = state.left[kind];
  if (count === 0) return [];
  const left: State = { ...state, left: { ...state.left, [kind]: count - 1 } };
  return [{ name, isFault: true, next: happens(left) }];
}

export function put(state: State, process: Process): State {
  const processes = state.processes.map((other) => (other.name === process.name ? process : other));
  return { ...state, processes };
}

export function withStraggler(state: State, straggler: Straggler): State {
  return { ...state, stragglers: [...state.stragglers, straggler] };
}

export function withUnit(process: Process, unit: Unit): Process {
  return {
    ...process,
    units: process.units.map((other) => (sameClaim(other.claim, unit.claim) ? unit : other)),
  };
}

export function withoutUnit(process: Process, own: Claim): Process {
  return { ...process, units: process.units.filter((unit) => !sameClaim(unit.claim, own)) };
}

export function namesOf(all: readonly Claim[]): string {
  return all.map((own) => `${memberOf(own)} (job ${own.bytes})`).join(', ');
}
