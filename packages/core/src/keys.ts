/**
 * Sidekiq's keys, built in this one place. Sidekiq 7 and 8 refuse a Redis namespace, so they have none here either.
 * The tracker's own keys: `Keyspace` of @tsq/tracker.
 */

export const keys = {
  /** SET of queue names. */
  queues: 'queues',
  /** SET of the names of paused queues. */
  paused: 'paused',
  /** ZSET, payload by the second it is due. */
  schedule: 'schedule',
  /** ZSET, payload by the second it is due. */
  retry: 'retry',
  /** ZSET, payload by the second it died. */
  dead: 'dead',
  /** SET of process identities. */
  processes: 'processes',
  /** What stands before a queue's name in the key of its list. */
  queuePrefix: 'queue:',
  /** LIST of payloads: pushed at the head, taken from the tail. */
  queue: (name: string) => `queue:${name}`,
  /** HASH of a process, expires. */
  process: (identity: string) => identity,
  /** HASH thread id -> JSON of what runs, read by Sidekiq 6.4.2 and later; expires. */
  work: (identity: string) => `${identity}:work`,
  /** The same for readers up to 6.4.1. */
  workers: (identity: string) => `${identity}:workers`,
  /** LIST of signal names for a process; expires. */
  signals: (identity: string) => `${identity}-signals`,
  /** STRING, guards the pruning of `processes`; expires. */
  processCleanup: 'process_cleanup',
  /** STRING, the identity of Sidekiq Enterprise's leader. */
  leader: 'dear-leader',
  /** HASH, where a job that works in iterations stands; expires. */
  iteration: (jid: string) => `it-${jid}`,
  processed: 'stat:processed',
  failed: 'stat:failed',
  /** @param day `YYYY-MM-DD`, UTC */
  processedOn: (day: string) => `stat:processed:${day}`,
  /** @param day `YYYY-MM-DD`, UTC */
  failedOn: (day: string) => `stat:failed:${day}`,
} as const;
