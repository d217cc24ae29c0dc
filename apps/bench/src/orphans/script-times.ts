/** How long Redis was busy with single scripts: its slow log, and its own histogram of them. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';

/** By the SHA by which they are called. */
const names = new Map<string, string>();
const packages = fileURLToPath(new URL('../../../../packages', import.meta.url));
for (const file of readdirSync(packages, { recursive: true, encoding: 'utf8' })) {
  if (!/^\w+\/src\/.*\.lua$/.test(file)) continue;
  const sha = createHash('sha1')
    .update(readFileSync(`${packages}/${file}`))
    .digest('hex');
  names.set(sha, file.replace(/^.*\/|\.lua$/g, ''));
}

/** @param slowerThanUs only such runs are noted one by one */
export async function watchScripts(redis: Redis, slowerThanUs = 1_000): Promise<void> {
  await redis.config('SET', 'slowlog-log-slower-than', String(slowerThanUs));
  await redis.config('SET', 'slowlog-max-len', '1000000');
  await redis.slowlog('RESET');
  await redis.config('RESETSTAT');
}

export interface ScriptTimes {
  readonly calls: number;
  readonly averageUs: number;
  /** Slower than 1, 2, 3, 4 and 5 ms. */
  readonly slower: readonly number[];
  readonly longest: readonly { readonly us: number; readonly name: string }[];
}

export async function scriptTimes(redis: Redis): Promise<ScriptTimes> {
  const stats = await redis.info('commandstats');
  const [, calls, total] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats) ?? [];
  const longest = [...(await noted(redis))].sort((a, b) => b.us - a.us);
  const slower = [1, 2, 3, 4, 5].map((ms) => longest.filter(({ us }) => us > ms * 1_000).length);
  return {
    calls: Number(calls ?? 0),
    averageUs: Math.round(Number(total ?? 0) / Number(calls ?? 1)),
    slower,
    longest: longest.slice(0, 5),
  };
}

/** Of each script that was noted, in microseconds. */
export async function medians(redis: Redis): Promise<ReadonlyMap<string, number>> {
  const byName = new Map<string, number[]>();
  for (const { us, name } of await noted(redis)) byName.set(name, [...(byName.get(name) ?? []), us]);
  const middle = (all: number[]) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
  return new Map([...byName].map(([name, all]) => [name, middle(all)]));
}

async function noted(redis: Redis): Promise<readonly { readonly us: number; readonly name: string }[]> {
  const entries = (await redis.slowlog('GET', -1)) as [number, number, number, string[]][];
  return entries
    .filter(([, , , [command]]) => /^evalsha$/i.test(command ?? ''))
    .map(([, , us, [, sha]]) => ({ us, name: names.get(sha ?? '') ?? 'another' }));
}

export function describeTimes({ calls, averageUs, slower, longest }: ScriptTimes): string {
  const counts = slower.map((count, index) => `>${index + 1} ms ${count}`).join('  ');
  const first = longest[0];
  const most = first === undefined ? 'under 1 ms' : `${(first.us / 1_000).toFixed(2)} ms (${first.name})`;
  return `${calls.toLocaleString('en')} script runs, ${averageUs} us each, longest ${most}; ${counts}`;
}
