/** How much a process computes: one that spins while Redis is away shows it here. Linux only; elsewhere nothing is known. */
import { existsSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** In seconds since its start, all its threads; undefined where the system does not tell. */
function cpuSeconds(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** @throws when the process used more than this share of one core while `body` ran */
export async function expectIdle(pid: number, mostShare: number, body: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const before = cpuSeconds(pid);
  await body();
  const after = cpuSeconds(pid);
  if (before === undefined || after === undefined) return;
  const share = (after - before) / ((performance.now() - startedAt) / 1_000);
  if (share > mostShare)
    throw new Error(`it used ${Math.round(share * 100)} % of a core, with nothing to do`);
}
