/**
 * What the tests of the gem's defects share: processes as they look to Redis (registered, claiming, dead), the scripts as
 * they are or with a guard cut out of them, and the one question that most of them ask: where does this job stand?
 */
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { keys } from '@tsq/core';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { LuaScripts, originals, type ScriptName, type ScriptTexts } from '../model/lua-scripts.js';
import type { Connection } from '../model/redis-keys.js';
import type { End } from '../model/scripts.js';
import type { Claim } from '../model/state.js';

export const keyspace = new Keyspace();

/** The scripts with one place cut out or changed: the check beside it must notice. */
export function mutant(script: ScriptName, from: string, to: string): ScriptTexts {
  expect(originals[script]).toContain(from);
  return { ...originals, [script]: originals[script].replace(from, () => to) };
}

/** A script of the recovery that the model has no part in. */
export function recoveryScript(name: 'take-lock' | 'release-lock'): string {
  return readFileSync(new URL(`../../../packages/recovery/src/${name}.lua`, import.meta.url), 'utf8');
}

export class Stage {
  private readonly scripts: LuaScripts;

  constructor(
    readonly admin: Connection,
    texts: ScriptTexts = originals,
  ) {
    this.scripts = new LuaScripts(admin, texts);
  }

  async push(queue: string, ...jobs: string[]): Promise<void> {
    await this.admin.lpush(keys.queue(queue), ...jobs);
  }

  /** Registered, with a heartbeat that holds until `dies`. */
  async lives(id: string): Promise<void> {
    await this.scripts.beat(id, 'register');
  }

  /** Killed: its heartbeat is over. Nothing else happens by that. */
  async dies(id: string): Promise<void> {
    await this.admin.del(keyspace.instance(id as InstanceId));
  }

  async claim(id: string, queues: readonly string[] = ['q'], limit = 100): Promise<readonly Claim[]> {
    const claims = await this.scripts.claim({ id, queues, limit, lastBatch: 0 });
    if (claims === 'unregistered') throw new Error(`${id} is not registered`);
    return claims;
  }

  settle(id: string, ends: readonly End[]) {
    return this.scripts.settle(id, ends);
  }

  /** All that one call after the other puts back, as a recoverer makes them, or `alive`. */
  async recover(id: string): Promise<number | 'alive'> {
    if ((await this.scripts.recover(id, [], 'next')) === 'alive') return 'alive';
    const members = await this.admin.smembers(keyspace.jobs(id as InstanceId));
    let recovered = 0;
    for (let next = 0; next < members.length; next += 2) {
      const step = await this.scripts.recover(id, members.slice(next, next + 2), 'next');
      if (step === 'alive') return step;
      recovered += step.recovered;
    }
    return recovered;
  }

  retire(id: string): Promise<string> {
    return this.scripts.retire(id);
  }

  /** Every place where the job stands, by its bytes: `[]` is a lost job, two are a doubled one. */
  async placesOf(bytes: string): Promise<readonly string[]> {
    const places: string[] = [];
    for (const key of (await this.admin.keys('queue:*')).toSorted()) {
      if ((await this.admin.type(key)) !== 'list') continue;
      for (const each of await this.admin.lrange(key, 0, -1)) if (each === bytes) places.push(key);
    }
    for (const key of ['retry', 'dead', 'schedule']) {
      if ((await this.admin.zscore(key, bytes)) !== null) places.push(key);
    }
    for (const key of (await this.admin.keys(keyspace.jobs('*' as InstanceId))).toSorted()) {
      for (const member of await this.admin.smembers(key)) {
        if ((await this.admin.get(`${keyspace.jobPrefix}${member}`)) === bytes) places.push(key);
      }
    }
    return places;
  }
}

/** How a claim that is held ends. */
export function endOf(claim: Claim | undefined, outcome: End['outcome']): End {
  if (claim === undefined) throw new Error('nothing was claimed');
  return { claim, known: 'held', outcome, bytes: claim.bytes };
}
