/** What must be true in every state (S), and what must be reachable from every state (L); named as in docs/protocol.md. */
import { type Bytes, type Id, memberOf, type Process, type Redis, type State } from './state.js';

/** Undefined when all is well. */
export function violation(state: State, jobs: readonly Bytes[]): string | undefined {
  return misplaced(state.redis, jobs) ?? oneToken(state) ?? state.untruth;
}

/**
 * S1, S3, S5: each job, by its bytes, is in exactly one place. A job that recovery put back twice would be in two, one whose
 * claim was ended by the end of another in none.
 */
export function misplaced(redis: Redis, jobs: readonly Bytes[]): string | undefined {
  const places = jobsIn(redis);
  for (const job of jobs) {
    const count = places.filter((bytes) => bytes === job).length;
    if (count === 0) return `S1: job ${job} is nowhere`;
    if (count > 1) return `S3: job ${job} is in ${count} places`;
  }
  return places.length === jobs.length ? undefined : 'S5: Redis holds bytes that nobody pushed';
}

/** S2: what a process holds, each under a member of its own, so that the end of one can't be that of another. */
function oneToken(state: State): string | undefined {
  for (const { units } of state.processes) {
    const members = units.map(({ claim }) => memberOf(claim));
    const double = members.find((member, index) => members.indexOf(member) !== index);
    if (double !== undefined) return `S2: two runs of one process have the same member, ${double}`;
  }
  return undefined;
}

/** Of all keys in which a job may be, and the model's note of those that ended without a trace. */
function jobsIn({ queues, claims, retry, dead, finished }: Redis): readonly Bytes[] {
  return [
    ...Object.values(queues).flat(),
    ...claims.map(({ bytes }) => bytes),
    ...retry,
    ...dead,
    ...finished,
  ];
}

/** L1 and L3: the goal, which must stay within reach. Every job has ended, everybody is gone, and no key is left. */
export function isOver(state: State): boolean {
  return (
    everyJobHasEnded(state) &&
    state.processes.every((process: Process) => process.phase === 'down') &&
    namespaceIds(state.redis).length === 0
  );
}

export function everyJobHasEnded({ redis }: State): boolean {
  const { queues, claims, retry } = redis;
  return (
    claims.length === 0 && retry.length === 0 && Object.values(queues).every((list) => list.length === 0)
  );
}

/** Ids that any key of the namespace names. */
export function namespaceIds({
  instances,
  declaredDead,
  beats,
  vitals,
  batches,
  claims,
}: Redis): readonly Id[] {
  const ids = [
    ...instances,
    ...declaredDead,
    ...beats,
    ...vitals,
    ...Object.keys(batches),
    ...claims.map(({ owner }) => owner),
  ];
  return [...new Set(ids)];
}
