/**
 * Decides, from the history and from what Redis holds at the end, whether the invariants have held. A pure function: it asks
 * nobody, and a history that a bad system would have written fails it (check-history.test.ts has one for each rule).
 *
 * What must stay true: what is unknown counts either way, never as a success; and what is excused is excused by a fault that
 * stands in the history.
 */
import type { FinalState } from '../stage/final-state.js';
import { Circumstances } from './circumstances.js';
import { type Bounds, InstanceRules } from './instance-rules.js';
import { JobRules } from './job-rules.js';
import type { Report } from './report.js';
import type { Lines, Story } from './story.js';
import { tellStory } from './tell-story.js';

export interface CheckSettings extends Bounds {
  /** Of the instances' heartbeats. Default 3,000. */
  readonly heartbeatTtlMs?: number;
}

export function checkHistory(lines: Lines, final: FinalState, settings: CheckSettings = {}): Report {
  const story = tellStory(lines);
  const circumstances = new Circumstances(story, (settings.heartbeatTtlMs ?? 3_000) * 1_000);
  const jobs = new JobRules(story, circumstances, final);
  for (const job of story.jobs.values()) jobs.check(job);
  const instances = new InstanceRules(story, circumstances, settings);
  instances.check();
  const leaks = final.keys.map((key) => ({ rule: 'leak', subject: key, text: 'is left' }) as const);
  const all = [...story.jobs.values()];
  return {
    violations: [...jobs.violations, ...instances.violations, ...leaks],
    jobs: all.length,
    tracked: all.filter(({ isTracked }) => isTracked).length,
    unacknowledged: all.filter(({ isAcknowledged }) => !isAcknowledged).length,
    done: all.filter(({ runs }) => runs.some(({ how }) => how === 'end')).length,
    dead: final.jobs.filter(({ place }) => place === 'dead').length,
    lostUntracked: jobs.lostUntracked,
    lostWithTail: jobs.lostWithTail,
    duplicates: jobs.duplicates,
    overlaps: jobs.overlaps,
    refusedSettles: story.refused,
    recoveries: instances.times,
    faults: faultCounts(story),
  };
}

function faultCounts({ faults }: Story): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
