/** What Redis itself says of the work that it had between two moments: the commands within scripts included. */
import type { Redis } from 'ioredis';

export interface Meter {
  /** Calls of scripts, each one request. */
  readonly scripts: number;
  /** Of Redis' time, within scripts. */
  readonly scriptMicroseconds: number;
  /** All commands, those within scripts included; without the meter's own. */
  readonly commands: number;
  /** Socket reads: the round trips as Redis sees them. */
  readonly reads: number;
  /** In and out. */
  readonly netBytes: number;
  /** Of the server, user and system. */
  readonly cpuMicroseconds: number;
  readonly memoryBytes: number;
}

/** The meter's own, and what the benchmark asks while it waits. */
const notCounted = new Set([
  'info',
  'config',
  'config|set',
  'config|resetstat',
  'slowlog|get',
  'memory|purge',
]);

export async function readMeter(redis: Redis): Promise<Meter> {
  const info = await redis.info('everything');
  const number = (name: string) =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  const commands = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)];
  const isScript = (name: string | undefined) => name === 'evalsha' || name === 'eval';
  const sum = (rows: readonly RegExpExecArray[], column: 2 | 3) =>
    rows.reduce((total, row) => total + Number(row[column]), 0);
  const scripts = commands.filter(([, name]) => isScript(name));
  const inner = commands.filter(([, name]) => !isScript(name) && !notCounted.has(name ?? ''));
  return {
    scripts: sum(scripts, 2),
    scriptMicroseconds: sum(scripts, 3),
    commands: sum(inner, 2),
    reads: number('total_reads_processed'),
    netBytes: number('total_net_input_bytes') + number('total_net_output_bytes'),
    cpuMicroseconds: 1e6 * (number('used_cpu_user') + number('used_cpu_sys')),
    memoryBytes: number('used_memory'),
  };
}

/** What came between two readings. */
export function between(before: Meter, after: Meter): Meter {
  return {
    scripts: after.scripts - before.scripts,
    scriptMicroseconds: after.scriptMicroseconds - before.scriptMicroseconds,
    commands: after.commands - before.commands,
    reads: after.reads - before.reads,
    netBytes: after.netBytes - before.netBytes,
    cpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds,
    memoryBytes: after.memoryBytes - before.memoryBytes,
  };
}

/** Of the scripts since the last reset, in microseconds; 0: none took 100. */
export async function longestScript(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 10_000)) as [number, number, number, string[]][];
  const scripts = entries.filter(([, , , args]) => /^eval/i.test(String(args[0])));
  return Math.max(0, ...scripts.map(([, , microseconds]) => microseconds));
}

export async function resetLongest(redis: Redis): Promise<void> {
  await redis.config('SET', 'slowlog-log-slower-than', '100');
  await redis.config('SET', 'slowlog-max-len', '10000');
  await redis.slowlog('RESET');
}
