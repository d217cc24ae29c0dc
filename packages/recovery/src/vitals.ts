/**
 * What an instance notes of itself with each beat, for who finds it dead: how much memory it used, how its event loop turned,
 * and what ran. One hash of a bounded size for each instance, which goes with it.
 */
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import type { FlightReader, JobInFlight } from './flight-reader.js';
import { memoryLimit } from './memory-limit.js';

export interface Vitals {
  /** By Redis' clock; the rest is as it was then. */
  readonly beatAtSeconds: number;
  /** Since its process was started; 0 of a process that does not note it. */
  readonly uptimeMs: number;
  /** Of the whole process. */
  readonly rssBytes: number;
  /** The smallest of its cgroups' limits and the machine's memory. */
  readonly memoryLimitBytes: number;
  /** Of the main thread's JavaScript, and what V8 lets it grow to. */
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
  /** By how much the event loop came late, at worst, since the beat before. */
  readonly lagMs: number;
  /** For how long it had not turned; 0: it turned. */
  readonly stalledMs: number;
  readonly jobsInFlight: number;
  /** The longest-running first; at most 50. */
  readonly jobs: readonly NotedJob[];
}

export interface NotedJob {
  readonly class: string;
  readonly jid: string;
  readonly runningMs: number;
  /** `batch.index` of its claim; '' when it has none of this instance. */
  readonly claim: string;
}

const mostJobs = 50;
const longestText = 100;

/** Fields and values for beat.lua. */
export function vitalsNow(flight: FlightReader, id: InstanceId, stalledMs: number): readonly string[] {
  const { used, limit } = flight.heap;
  const { listed, unlisted } = flight.jobs();
  const numbers = {
    up_ms: Math.round(process.uptime() * 1_000),
    rss: process.memoryUsage.rss(),
    limit: memoryLimit(),
    heap: used,
    heap_limit: limit,
    lag_ms: flight.takeLagMs(),
    stalled_ms: Math.round(stalledMs),
    running: listed.length + unlisted,
  };
  const jobs = JSON.stringify(listed.slice(0, mostJobs).map((job) => rowOf(job, id)));
  return [...Object.entries(numbers).flatMap(([field, value]) => [field, String(value)]), 'jobs', jobs];
}

function rowOf({ class: name, jid, runningMs, claim }: JobInFlight, id: InstanceId) {
  const isOwn = claim?.startsWith(`${id}.`) === true;
  return [
    name.slice(0, longestText),
    jid.slice(0, longestText),
    runningMs,
    isOwn ? claim.slice(id.length + 1) : '',
  ];
}

/** Those of all that have left any. One round trip. */
export async function readVitals(
  redis: Redis,
  keyspace: Keyspace,
  ids: readonly InstanceId[],
): Promise<ReadonlyMap<InstanceId, Vitals>> {
  const read = new Map<InstanceId, Vitals>();
  if (ids.length === 0) return read;
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hgetall(keyspace.vitals(id));
  const replies = (await pipeline.exec()) ?? [];
  for (const [at, id] of ids.entries()) {
    const [error, hash] = replies[at] ?? [];
    // A key of another type is no note; a connection that broke answers nobody.
    if (error instanceof Error && !error.message.startsWith('WRONGTYPE')) throw error;
    const vitals = readHash(hash);
    if (vitals !== undefined) read.set(id, vitals);
  }
  return read;
}

function readHash(hash: unknown): Vitals | undefined {
  if (typeof hash !== 'object' || hash === null) return undefined;
  const fields = new Map(Object.entries(hash));
  const number = (field: string) => Number(fields.get(field) ?? 0) || 0;
  if (!fields.has('beat')) return undefined;
  return {
    beatAtSeconds: number('beat'),
    uptimeMs: number('up_ms'),
    rssBytes: number('rss'),
    memoryLimitBytes: number('limit'),
    heapBytes: number('heap'),
    heapLimitBytes: number('heap_limit'),
    lagMs: number('lag_ms'),
    stalledMs: number('stalled_ms'),
    jobsInFlight: number('running'),
    jobs: readJobs(String(fields.get('jobs') ?? '[]')),
  };
}

function readJobs(json: string): readonly NotedJob[] {
  try {
    const rows: unknown = JSON.parse(json);
    return Array.isArray(rows) ? rows.flatMap((row) => readRow(row) ?? []) : [];
  } catch {
    return []; // written by a stranger, or by a later version
  }
}

function readRow(row: unknown): NotedJob | undefined {
  if (!Array.isArray(row)) return undefined;
  const [name, jid, runningMs, claim] = row;
  return { class: String(name), jid: String(jid), runningMs: Number(runningMs), claim: String(claim) };
}
