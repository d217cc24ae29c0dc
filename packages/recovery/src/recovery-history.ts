/**
 * What recovery did lately, kept in Redis for who operates the fleet: any process may have done it. Nothing decides by these
 * notes, and what could not be noted is noted with the next pass.
 */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import type { DeathRule, RecoveredInstance } from './orphan-recovery.js';
import { readPostMortem } from './post-mortem.js';
import { readWord } from './read-word.js';

const script = new LuaScript(new URL('./note-recovery.lua', import.meta.url));

/** So many recoveries are kept, for so long. */
const kept = 20;
const keepSeconds = 72 * 3_600;

/** What one process did for one dead instance, and when it had done it. */
export interface PastRecovery extends RecoveredInstance {
  readonly atSeconds: number;
  readonly by: InstanceId;
}

/** The last look for heartbeats that ran out, by whomever. */
export interface LastPass {
  readonly atSeconds: number;
  readonly by: InstanceId;
  /** The next one comes after so long at the latest; others of the fleet may come before. */
  readonly intervalMs: number;
}

export class RecoveryHistory {
  private pending: string[] = [];

  constructor(private readonly keyspace: Keyspace) {}

  /** Noted with the next call of `note`. */
  add(report: RecoveredInstance, by: InstanceId): void {
    this.pending.push(JSON.stringify({ ...report, by }));
    this.pending.splice(0, this.pending.length - kept);
  }

  /** After a look that was no pass: nothing is sent when nothing was recovered. */
  async note(redis: Redis, own: InstanceId): Promise<void> {
    if (this.pending.length > 0) await this.send(redis, own, '');
  }

  async notePass(redis: Redis, own: InstanceId, intervalMs: number): Promise<void> {
    await this.send(redis, own, intervalMs);
  }

  private async send(redis: Redis, own: InstanceId, intervalMs: number | ''): Promise<void> {
    const reports = [...this.pending];
    const keys = [this.keyspace.instances, this.keyspace.lastPass, this.keyspace.recovered];
    const reply = await script.run(redis, keys, [own, intervalMs, kept, keepSeconds, ...reports]);
    readWord(reply, ['noted', 'nobody']);
    this.pending = this.pending.filter((report) => !reports.includes(report));
  }
}

/** The newest first. A line that is none of ours is left out. */
export async function pastRecoveries(redis: Redis, keyspace: Keyspace): Promise<readonly PastRecovery[]> {
  const lines = await redis.lrange(keyspace.recovered, 0, kept - 1);
  return lines.flatMap((line) => readLine(line) ?? []);
}

export async function lastPass(redis: Redis, keyspace: Keyspace): Promise<LastPass | undefined> {
  const { at, by, interval_ms: intervalMs } = await redis.hgetall(keyspace.lastPass);
  if (at === undefined || by === undefined) return undefined;
  return { atSeconds: Number(at), by: by as InstanceId, intervalMs: Number(intervalMs) };
}

function readLine(line: string): PastRecovery | undefined {
  const space = line.indexOf(' ');
  const atSeconds = Number(line.slice(0, space));
  const report = readReport(line.slice(space + 1));
  return report === undefined || Number.isNaN(atSeconds) ? undefined : { ...report, atSeconds };
}

function readReport(json: string): Omit<PastRecovery, 'atSeconds'> | undefined {
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    return undefined; // written by a stranger, or by a later version
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const fields = new Map(Object.entries(given));
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const [instance, by] = [fields.get('instance'), fields.get('by')];
  if (typeof instance !== 'string' || typeof by !== 'string') return undefined;
  return {
    instance: instance as InstanceId,
    by: by as InstanceId,
    rule: ruleOf(fields.get('rule')),
    recovered: number('recovered'),
    missing: number('missing'),
    poison: number('poison'),
    remaining: number('remaining'),
    durationMs: number('durationMs'),
    postMortem: readPostMortem(fields.get('postMortem')),
  };
}

function ruleOf(given: unknown): DeathRule {
  return given === 'connections' ? 'connections' : 'heartbeat';
}
