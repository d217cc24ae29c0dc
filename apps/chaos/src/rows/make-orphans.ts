/** One dead instance with many claims: what recovery moves in several calls, so that there is a moment between two of them. */
import type { Stage } from '../stage/stage.js';

/** A fetch brings so many at most. */
const jobsPerFetch = 150;
/** They are claimed within milliseconds; none must have ended before the last claim. */
const durationMs = 1_500;

export interface Orphans {
  readonly owner: string;
  readonly count: number;
}

/** @param fetches each brings 150 jobs; the process dies with the last of them, and is not recovered by itself */
export async function makeOrphans(stage: Stage, fetches: number, queue = 'default'): Promise<Orphans> {
  const count = fetches * jobsPerFetch;
  await stage.client().enqueueMany(count, 'Chaos::Tracked', [durationMs], { queue });
  const victim = await stage.worker({
    fault: `claim.after:kill@${fetches}`,
    concurrency: count,
    flags: ['-q', queue],
    until: 'spawned',
  });
  await victim.ended();
  const redis = stage.connect();
  const ids = await redis.smembers('tsq:instances');
  const owner = ids.find((each) => each.includes(`-${victim.pid}-`));
  if (owner === undefined) throw new Error(`process ${victim.pid} is not among ${ids}`);
  const held = await redis.scard(`tsq:jobs:${owner}`);
  if (held !== count) throw new Error(`${count} jobs were to be orphans, and ${held} are`);
  return { owner, count };
}
