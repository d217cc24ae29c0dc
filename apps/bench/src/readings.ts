/** What is read off a worker process and its Redis before and after a measurement; the difference is what the work cost. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

export interface Readings {
  /** Of the worker process, user and system. */
  readonly workerMicroseconds: number;
  /** Of Redis, likewise. */
  readonly redisMicroseconds: number;
  /** Commands that Redis ran, those inside scripts too. */
  readonly commands: number;
  /** Socket reads of Redis: the round trips as it sees them. */
  readonly reads: number;
}

const ticksPerSecond = 100;

export async function readings(admin: Redis, workerPid: number): Promise<Readings> {
  const info = await admin.info('all');
  const sum = (pattern: RegExp) =>
    [...info.matchAll(pattern)].reduce((total, [, text]) => total + Number(text), 0);
  return {
    workerMicroseconds: cpuMicroseconds(workerPid),
    redisMicroseconds: sum(/used_cpu_(?:user|sys):([\d.]+)/g) * 1_000_000,
    commands: sum(/cmdstat_[^:]+:calls=(\d+)/g),
    reads: sum(/total_reads_processed:(\d+)/g),
  };
}

export function since(before: Readings, after: Readings): Readings {
  return {
    workerMicroseconds: after.workerMicroseconds - before.workerMicroseconds,
    redisMicroseconds: after.redisMicroseconds - before.redisMicroseconds,
    commands: after.commands - before.commands,
    reads: after.reads - before.reads,
  };
}

/** User and system time of a process and its threads. */
function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
}

/** Resident memory of a process, in MiB: at present, or the most that it ever was. */
export function memoryMiB(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`${which}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1_024;
}

/** CPU seconds that the whole machine has used, by whomever. */
export function machineSeconds(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split(/\s+/);
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}
