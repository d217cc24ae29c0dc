/** The resident memory of a process over a run, and whether it is flat: the end is compared with the first part after the warm-up. */
import { readFileSync } from 'node:fs';

export interface Sample {
  /** Of the run: from 0 to 1. */
  readonly progress: number;
  readonly megabytes: number;
}

export interface Verdict {
  readonly firstMegabytes: number;
  readonly lastMegabytes: number;
  readonly isFlat: boolean;
}

/** The process warms up for so much of the run; the next tenth is compared with the last. */
const warmUp = 0.2;
const part = 0.1;
const tolerance = 0.1;

export function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}

/** Medians: a collection of garbage comes when it likes. @throws when a part has no sample */
export function judge(samples: readonly Sample[]): Verdict {
  const firstMegabytes = median(samples, warmUp, warmUp + part);
  const lastMegabytes = median(samples, 1 - part, 1);
  return { firstMegabytes, lastMegabytes, isFlat: lastMegabytes <= firstMegabytes * (1 + tolerance) };
}

function median(samples: readonly Sample[], from: number, to: number): number {
  const within = samples.filter(({ progress }) => progress >= from && progress <= to);
  const sorted = within.map(({ megabytes }) => megabytes).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error(`no sample between ${from} and ${to} of the run`);
  return middle;
}
