/**
 * Goes through every state that can come about, the near ones first, and judges each. What it finds is told as the shortest
 * list of steps that leads there.
 */
import { canonical } from './canonical.js';
import { asBuilt, type Stands } from './guards.js';
import { isOver, violation } from './invariants.js';
import { initialState, queue, type Size, type State } from './state.js';
import { stepsFrom } from './steps.js';

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  readonly counterexample: Counterexample | undefined;
}

export interface Counterexample {
  readonly broken: string;
  readonly steps: readonly string[];
}

export function explore(size: Size, stands: Stands = asBuilt): Exploration {
  return new Explorer(size, stands).run();
}

class Explorer {
  private readonly numbers = new Map<string, number>();
  /** Of those that wait to be looked at; forgotten then. */
  private waiting: { readonly number: number; readonly state: State }[] = [];
  private readonly parents: number[] = [];
  private readonly stepNames: string[] = [];
  /** Pairs from, to: the steps that are no faults. */
  private readonly progress: number[] = [];
  private readonly over: number[] = [];
  private steps = 0;

  constructor(
    private readonly size: Size,
    private readonly stands: Stands,
  ) {}

  run(): Exploration {
    const initial = initialState(this.size);
    const jobs = initial.redis.queues[queue] ?? [];
    this.note(initial, -1, '');
    while (this.waiting.length > 0) {
      const layer = this.waiting;
      this.waiting = [];
      for (const { number, state } of layer) {
        const broken = violation(state, jobs);
        if (broken !== undefined) return this.found(broken, number);
        if (isOver(state)) this.over.push(number);
        this.expand(number, state);
      }
    }
    const stuck = this.firstStuck();
    if (stuck !== undefined) return this.found('L1, L3: from here the work can not come to its end', stuck);
    return { states: this.parents.length, steps: this.steps, counterexample: undefined };
  }

  private expand(number: number, state: State): void {
    for (const step of stepsFrom(state, this.stands)) {
      this.steps += 1;
      const to = this.note(step.next, number, step.name);
      if (!step.isFault) this.progress.push(number, to);
    }
  }

  private note(state: State, parent: number, stepName: string): number {
    const text = canonical(state);
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    const number = this.parents.push(parent) - 1;
    this.numbers.set(text, number);
    this.stepNames.push(stepName);
    this.waiting.push({ number, state });
    return number;
  }

  /** The nearest state from which no steps but faults lead to the end: backwards from all ends, what is not met is stuck. */
  private firstStuck(): number | undefined {
    const reaches = new Uint8Array(this.parents.length);
    const { first, sources } = this.backwards();
    const open = [...this.over];
    for (const number of open) reaches[number] = 1;
    for (let number = open.pop(); number !== undefined; number = open.pop()) {
      for (let at = first[number] ?? 0; at < (first[number + 1] ?? 0); at += 1) {
        const source = sources[at] ?? 0;
        if (reaches[source] === 1) continue;
        reaches[source] = 1;
        open.push(source);
      }
    }
    const stuck = reaches.indexOf(0);
    return stuck < 0 ? undefined : stuck;
  }

  /** Of each state, those from which progress leads to it: `sources` from `first[state]` to `first[state + 1]`. */
  private backwards(): { first: Uint32Array; sources: Uint32Array } {
    const { progress } = this;
    const first = new Uint32Array(this.parents.length + 2);
    for (let at = 1; at < progress.length; at += 2)
      first[(progress[at] ?? 0) + 2] = (first[(progress[at] ?? 0) + 2] ?? 0) + 1;
    for (let at = 1; at < first.length; at += 1) first[at] = (first[at] ?? 0) + (first[at - 1] ?? 0);
    const sources = new Uint32Array(progress.length / 2);
    for (let at = 0; at < progress.length; at += 2) {
      const to = (progress[at + 1] ?? 0) + 1;
      sources[first[to] ?? 0] = progress[at] ?? 0;
      first[to] = (first[to] ?? 0) + 1;
    }
    return { first, sources };
  }

  private found(broken: string, number: number): Exploration {
    const steps: string[] = [];
    for (let at = number; at > 0; at = this.parents[at] ?? 0) steps.unshift(this.stepNames[at] ?? '');
    return { states: this.parents.length, steps: this.steps, counterexample: { broken, steps } };
  }
}
