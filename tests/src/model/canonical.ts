/**
 * A short text for each state, the same for states that differ only in who is called what: processes are named in the
 * order of what is known of them, jobs in the order in which they are met. Two states with one text have the same future.
 */
import type { Answer, Bytes, Claim, Id, Process, Redis, State, Straggler, Unit } from './state.js';

export function canonical(state: State): string {
  return new Writer(state).write();
}

class Writer {
  private readonly processes: readonly Process[];
  private readonly newNames: ReadonlyMap<string, number>;
  private readonly jobs = new Map<Bytes, number>();

  constructor(private readonly state: State) {
    const looks = new Map(state.processes.map((process) => [process, lookOf(process, state.redis)]));
    const lookAt = (process: Process) => looks.get(process) ?? '';
    this.processes = state.processes.toSorted((one, other) => compare(lookAt(one), lookAt(other)));
    this.newNames = new Map(this.processes.map(({ name }, position) => [name, position]));
  }

  write(): string {
    const { redis, disk, left, stragglers, rolledBack, untruth } = this.state;
    const faults = `${left.kills}${left.lapses}${left.losses}${left.failures}${left.stops}${left.rollbacks}`;
    const processes = this.processes.map((process) => this.process(process)).join('');
    const keys = `${this.redis(redis)}${disk === undefined ? '' : `!${this.redis(disk)}`}`;
    const late = stragglers.map((one) => this.straggler(one)).sort();
    return `${faults}${rolledBack ? 'R' : ''}${untruth ?? ''}|${processes}|${keys}|${late}|${this.ends()}`;
  }

  private process(process: Process): string {
    const { phase, registered, ids, lastBatch, answers, beat } = process;
    const units = process.units.map((unit) => this.unit(unit)).join('');
    const waits = answers.map((answer) => this.answer(answer)).join('');
    return `${phase[0]}${phase[2]}${registered ? 'r' : ''}${ids}.${lastBatch}${units}>${waits}${beat?.[0] ?? ''};`;
  }

  private answer(answer: Answer): string {
    if (answer.to === 'settle') return `s${answer.answer[0]}${this.claim(answer.claim)}`;
    return `c${answer.claims.map((claim) => this.claim(claim)).join('')}`;
  }

  private unit({ claim, outcome, ended }: Unit): string {
    return `(${this.claim(claim)}${outcome?.slice(0, 3) ?? ''}${ended ? '!' : ''})`;
  }

  private claim({ owner, batch, index, bytes }: Claim): string {
    return `${this.id(owner)}.${batch}.${index}${this.job(bytes)}`;
  }

  private straggler(straggler: Straggler): string {
    if (straggler.call === 'claim') return `c${this.id(straggler.id)}${straggler.lastBatch}`;
    if (straggler.call === 'beat') return `b${this.id(straggler.id)}${straggler.mode}`;
    return `s${this.claim(straggler.claim)}${straggler.outcome}`;
  }

  private redis({ queues, claims, instances, declaredDead, beats, vitals, batches }: Redis): string {
    const lists = Object.values(queues).map((list) => list.map((bytes) => this.job(bytes)).join(''));
    const held = claims.map((claim) => [this.id(claim.owner), claim] as const).sort(byPlace);
    const counts = Object.entries(batches).map(([id, batch]) => `${this.id(id)}.${batch}`);
    return `${lists}/${held.map(([, claim]) => this.claim(claim)).join('')}/${this.ids(instances)}/${this.ids(declaredDead)}/${this.ids(beats)}/${this.ids(vitals)}/${counts.sort()}`;
  }

  private ids(set: readonly Id[]): string {
    return set
      .map((id) => this.id(id))
      .sort()
      .join('');
  }

  private id(id: Id): string {
    return `${String.fromCharCode(65 + (this.newNames.get(id[0] ?? '') ?? 0))}${id.slice(1)}`;
  }

  private job(bytes: Bytes): string {
    const number = this.jobs.get(bytes) ?? this.jobs.size;
    this.jobs.set(bytes, number);
    return String.fromCharCode(97 + number);
  }

  /** The jobs in sets, whose order says nothing: of those that were met, each by its name; the others are all alike. */
  private ends(): string {
    const marks = new Map<Bytes, string>();
    const mark = (set: readonly Bytes[], sign: string) => {
      for (const bytes of set) marks.set(bytes, `${marks.get(bytes) ?? ''}${sign}`);
    };
    for (const [redis, capital] of [[this.state.redis, false] as const, [this.state.disk, true] as const]) {
      if (redis === undefined) continue;
      mark(redis.retry, capital ? 'R' : 'r');
      mark(redis.dead, capital ? 'D' : 'd');
      mark(redis.finished, capital ? 'F' : 'f');
    }
    const met = [...this.jobs].map(([bytes, number]) => `${number}${marks.get(bytes) ?? ''}`);
    const others = [...marks].filter(([bytes]) => !this.jobs.has(bytes)).map(([, signs]) => signs);
    return `${met}/${others.sort()}`;
  }
}

/** What can be said of a process without a name. */
function lookOf(process: Process, redis: Redis): string {
  const { name, phase, ids, registered, lastBatch, units, answers, beat } = process;
  const mine = (set: readonly Id[]) => set.filter((id) => id[0] === name).map((id) => id[1]);
  const unit = units.map(({ claim, outcome }) => `${claim.batch}${outcome ?? ''}`).join();
  const keys = `${mine(redis.instances)}/${mine(redis.declaredDead)}/${mine(redis.beats)}`;
  return `${phase}${ids}${registered}${lastBatch}${unit}${answers.map(({ to }) => to)}${beat}${keys}`;
}

function byPlace([idOne, one]: readonly [string, Claim], [idOther, other]: readonly [string, Claim]): number {
  return compare(idOne, idOther) || one.batch - other.batch || one.index - other.index;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
