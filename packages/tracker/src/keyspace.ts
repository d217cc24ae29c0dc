/**
 * The tracker's own keys, built in this one place. The names of `instance:`, `jobs:`, `job:` and `recovery_lock` are the
 * sidekiq-assured-jobs gem's: a Ruby fleet that runs it can share the namespace.
 */
import { cancelledKey } from '@tsq/core';

/** Branded: a jid can't be passed for it. Carries no colon; each start of a process has its own. */
export type InstanceId = string & { readonly brand: 'InstanceId' };

/**
 * One claim's own token, `ID.batch.index@queue`. Not the jid: that can be missing, doubled or unreadable, and the queue
 * that a job came from stands nowhere else.
 */
export type Member = string & { readonly brand: 'Member' };

export class Keyspace {
  constructor(readonly namespace: string = 'tsq') {}

  /** SET of the ids that are registered, and may claim. */
  get instances(): string {
    return `${this.namespace}:instances`;
  }

  /** SET of the ids that were declared dead and still hold claims. */
  get deadInstances(): string {
    return `${this.namespace}:instances:dead`;
  }

  /** STRING, seconds since the epoch by Redis' clock; expires: the heartbeat. */
  instance(id: InstanceId): string {
    return `${this.namespace}:instance:${id}`;
  }

  /** HASH: what the process of the instance noted of itself with its last beat, for who finds it dead; no TTL. */
  vitals(id: InstanceId): string {
    return `${this.namespace}:vitals:${id}`;
  }

  /** SET of members: what the instance holds; no TTL. */
  jobs(id: InstanceId): string {
    return `${this.namespace}:jobs:${id}`;
  }

  /** STRING, number of the instance's last batch. */
  claims(id: InstanceId): string {
    return `${this.namespace}:claims:${id}`;
  }

  /** STRING, the payload's bytes. */
  job(member: Member): string {
    return `${this.jobPrefix}${member}`;
  }

  /** What stands before a member in the key of its payload; scripts build these keys. */
  get jobPrefix(): string {
    return `${this.namespace}:job:`;
  }

  /** ZSET, jid by the second until which its cancellation holds; expires. */
  get cancelled(): string {
    return cancelledKey(this.namespace);
  }

  /** STRING, the id of the instance that recovers at present; expires. */
  get recoveryLock(): string {
    return `${this.namespace}:recovery_lock`;
  }

  /** STRING, the id of the instance whose turn it is to look for instances of the tracker gem; expires. */
  get gemScan(): string {
    return `${this.namespace}:gem_scan`;
  }

  /** HASH, mark of a payload -> the seconds at which it was recovered; expires. */
  get recoveries(): string {
    return `${this.namespace}:recoveries`;
  }

  /** STRING, the member of the suspect that the instance has started last. */
  suspect(id: InstanceId): string {
    return `${this.namespace}:suspect:${id}`;
  }

  /** STRING, the id of the instance that looked last at the fleet's connections; expires before the next look. */
  get watch(): string {
    return `${this.namespace}:watch`;
  }

  /** HASH, id -> `run:client`: a connection of the instance that was seen, and the run of the server that saw it. */
  get sightings(): string {
    return `${this.namespace}:sightings`;
  }

  /** HASH, id -> second by Redis' clock: who has no heartbeat since more than half of the fleet lost theirs at once. */
  get lapses(): string {
    return `${this.namespace}:lapses`;
  }

  /** HASH: when somebody last looked for heartbeats that ran out, and who; expires. */
  get lastPass(): string {
    return `${this.namespace}:last_pass`;
  }

  /** LIST of the last recoveries, for who operates the fleet; expires. */
  get recovered(): string {
    return `${this.namespace}:recovered`;
  }
}

export function memberOf(id: InstanceId, batch: number, index: number, queue: string): Member {
  return `${id}.${batch}.${index}@${queue}` as Member;
}

/** What a member of this instance says. A queue's name is all behind the first `@`, which no id contains. */
export function placeOf(id: InstanceId, member: Member): { batch: number; index: number; queue: string } {
  const at = member.indexOf('@');
  const [batch, index] = member
    .slice(id.length + 1, at)
    .split('.')
    .map(Number);
  return { batch: batch ?? Number.NaN, index: index ?? Number.NaN, queue: member.slice(at + 1) };
}
