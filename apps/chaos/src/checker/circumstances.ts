/** What was the matter at a moment: who was dead, who could not be heard, what Redis had forgotten. The rules ask it. */
import type { Fault, Recovery, Story } from './story.js';

interface Spell {
  readonly from: number;
  readonly to: number;
  /** undefined: it met all. */
  readonly target: number | undefined;
}

const closers: Readonly<Record<string, Fault['kind']>> = {
  stop: 'continue',
  network: 'network-over',
  'redis-away': 'redis-back',
  'redis-trouble': 'redis-trouble-over',
};

/** How long after its end a fault still explains that somebody was not heard: a connection must be made again. */
const aftermathMicros = 3_000_000;
/** Who is found to have ended within so long after he was declared dead was dead then: the end is written down a little later. */
const exitDelayMicros = 2_000_000;

export class Circumstances {
  private readonly deaths = new Map<number, Fault>();
  private readonly spells: readonly Spell[];
  private readonly rollbacks: readonly Fault[];
  private readonly recoveriesByOwner = new Map<string, Recovery[]>();

  constructor(
    private readonly story: Story,
    private readonly ttlMicros: number,
  ) {
    for (const fault of story.faults) {
      const isDeath = fault.kind === 'kill' || fault.kind === 'exit';
      if (isDeath && fault.target !== undefined && !this.deaths.has(fault.target))
        this.deaths.set(fault.target, fault);
    }
    this.spells = spellsOf(story);
    this.rollbacks = story.faults.filter(({ kind }) => kind === 'lost-tail');
    for (const recovery of story.recoveries) {
      const all = this.recoveriesByOwner.get(recovery.owner);
      if (all === undefined) this.recoveriesByOwner.set(recovery.owner, [recovery]);
      else all.push(recovery);
    }
  }

  /** When the process ended: its last sign, when nobody killed it. undefined: it lived to the end. */
  diedAt(pid: number): number | undefined {
    const death = this.deaths.get(pid);
    if (death === undefined) return undefined;
    return death.kind === 'kill' ? death.at : (this.story.lastLineAt.get(pid) ?? death.at);
  }

  /** Recoveries of what `owner` held that put something back, or may have. */
  recoveriesOf(owner: string, after: number, before: number): readonly Recovery[] {
    const all = this.recoveriesByOwner.get(owner) ?? [];
    return all.filter(
      ({ sentAt, answer, putBack, answeredAt }) =>
        sentAt > after && sentAt < before && answer !== 'alive' && (answeredAt === undefined || putBack > 0),
    );
  }

  /** How often Redis lost its last writes meanwhile. */
  rollbacksBetween(from: number, to: number): number {
    return this.rollbacks.filter(({ at }) => at > from && at < to).length;
  }

  /** It was written at some moment of this time, and that may be in what Redis lost. */
  isInLostTail(sentAt: number, at: number): boolean {
    return this.rollbacks.some((fault) => at >= (fault.since ?? 0) && sentAt <= fault.at);
  }

  /** The process of the instance had ended when it was declared dead, or the instance had ended itself. */
  wasDead({ owner, answeredAt, sentAt }: Recovery): boolean {
    const at = answeredAt ?? sentAt;
    const retiredAt = this.story.retired.get(owner);
    if (retiredAt !== undefined && retiredAt < at) return true;
    const pid = this.story.pids.get(owner);
    if (pid === undefined) return true; // it never said a word: killed before its first
    const death = this.deaths.get(pid);
    if (death === undefined) return false;
    return death.at < at || (death.kind === 'exit' && death.at < at + exitDelayMicros);
  }

  /** Some fault kept the living instance from being heard for a while before `at`. */
  couldNotBeHeard(owner: string, at: number): boolean {
    const pid = this.story.pids.get(owner);
    const from = at - this.ttlMicros - aftermathMicros;
    const meets = (spell: Spell) =>
      (spell.target === undefined || spell.target === pid) &&
      spell.from < at &&
      spell.to + aftermathMicros > from;
    return this.spells.some(meets) || this.rollbacksBetween(from, at) > 0;
  }

  /** Something was the matter meanwhile with Redis, or with processes other than this one. */
  othersWereInTrouble(pid: number, from: number, to: number): boolean {
    return (
      this.spells.some((spell) => spell.target !== pid && spell.from < to && spell.to > from) ||
      this.rollbacksBetween(from, to) > 0
    );
  }

  /** A process other than this one was there all the time, to find what there was to find. */
  somebodyElseLived(pid: number, from: number, to: number): boolean {
    return [...this.story.registeredAt].some(
      ([other, at]) => other !== pid && at < from && (this.diedAt(other) ?? to) >= to,
    );
  }

  /** When the silence of the process began that ended at or after `at`. */
  silentSince(owner: string, at: number): number | undefined {
    const pid = this.story.pids.get(owner);
    const spell = this.spells.findLast((each) => each.target === pid && each.from < at);
    return spell?.from;
  }
}

function spellsOf(story: Story): readonly Spell[] {
  const { faults, endsAt } = story;
  return faults.flatMap((fault, index) => {
    const closer = closers[fault.kind];
    if (closer === undefined) return [];
    const over = faults.slice(index).find(({ kind, target }) => kind === closer && target === fault.target);
    return [{ from: fault.at, to: over?.at ?? endsAt, target: fault.target }];
  });
}
