/** Who this process is, in the words that every Sidekiq from 6.0 to 8.1 reads; each key is there because a reader breaks without it. */
import { randomBytes } from 'node:crypto';
import type { QueueOrder } from './queue-order.js';

/** One set of slots with queues of its own. */
export interface CapsuleInfo {
  /** `default` when there is only one. */
  readonly name: string;
  readonly concurrency: number;
  readonly order: QueueOrder;
}

export interface ProcessInfo {
  /** See `newProcessIdentity`. */
  readonly identity: string;
  readonly hostname: string;
  readonly pid: number;
  readonly startedAtMs: number;
  /** Shown behind the name; '' for none. */
  readonly tag: string;
  readonly labels: readonly string[];
  /** tsq's own. The Web UI shows it because it differs from its own. */
  readonly version: string;
  readonly capsules: readonly CapsuleInfo[];
}

/** `HOST:PID:NONCE`: a new one for each start, so that a pod that comes back under its name is another process. */
export function newProcessIdentity(hostname: string, pid: number): string {
  return `${hostname}:${pid}:${randomBytes(6).toString('hex')}`;
}

export function totalConcurrency(info: ProcessInfo): number {
  return info.capsules.reduce((sum, capsule) => sum + capsule.concurrency, 0);
}

/** The field `info` of the process hash. */
export function processInfoJson(info: ProcessInfo): string {
  const { capsules } = info;
  return JSON.stringify({
    hostname: info.hostname,
    started_at: info.startedAtMs / 1_000,
    pid: info.pid,
    tag: info.tag,
    concurrency: totalConcurrency(info), // here up to 8.1.1, from 8.1.2 on in a field of its own
    capsules: Object.fromEntries(capsules.map((capsule) => [capsule.name, capsuleJson(capsule)])),
    queues: [...new Set(capsules.flatMap((capsule) => capsule.order.names))],
    weights: capsules.map((capsule) => weightsOf(capsule)),
    labels: info.labels,
    identity: info.identity,
    version: info.version,
    embedded: false, // true would take the buttons for quiet and stop away
  });
}

function capsuleJson(capsule: CapsuleInfo) {
  return { concurrency: capsule.concurrency, mode: capsule.order.mode, weights: weightsOf(capsule) };
}

function weightsOf({ order }: CapsuleInfo): Record<string, number> {
  return Object.fromEntries(order.queues.map(({ name, weight }) => [name, weight]));
}
