/**
 * The .lua files, called as their headers say, with answers in the words of the model. The texts can be other than the
 * files': a mutant is called as the original.
 */
import { readFileSync } from 'node:fs';
import { keys } from '@tsq/core';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { bytesOf, type Connection } from './redis-keys.js';
import type { ClaimCall, End, RecoverAnswer, SettleAnswer } from './scripts.js';
import { type BeatMode, type Claim, memberOf } from './state.js';

const files = {
  claim: '../../../packages/tracker/src/claim.lua',
  settle: '../../../packages/tracker/src/settle.lua',
  beat: '../../../packages/recovery/src/beat.lua',
  recover: '../../../packages/recovery/src/recover.lua',
  retire: '../../../packages/recovery/src/retire.lua',
};

export type ScriptName = keyof typeof files;
export type ScriptTexts = Readonly<Record<ScriptName, string>>;

export const originals = Object.fromEntries(
  Object.entries(files).map(([name, file]) => [name, readFileSync(new URL(file, import.meta.url), 'utf8')]),
) as ScriptTexts;

const keyspace = new Keyspace();
const ttlMs = 3_600_000; // a beat ends when the test says so

/** The model knows no poison: its jobs may be recovered any number of times. */
const neverPoison = 1_000_000;
const windowSeconds = 3_600;

export class LuaScripts {
  constructor(
    readonly connection: Connection,
    private readonly texts: ScriptTexts,
  ) {}

  async claim({ id, queues, limit, lastBatch }: ClaimCall): Promise<readonly Claim[] | 'unregistered'> {
    const own = id as InstanceId;
    const ours = [keyspace.instances, keyspace.claims(own), keyspace.jobs(own), keyspace.cancelled];
    const scriptKeys = [...ours, keys.paused];
    const args = [id, keyspace.jobPrefix, limit, lastBatch, ...queues];
    const reply = await this.run('claim', [...scriptKeys, ...queues.map(keys.queue)], args);
    if (Buffer.isBuffer(reply)) return 'unregistered';
    const [batch, , , , ...taken] = reply as [number, number[], number[], 0 | 1, ...[number, ...Buffer[]][]];
    return taken
      .flatMap(([position, ...payloads]) =>
        payloads.map((bytes) => ({ queue: queues[position] ?? '', bytes })),
      )
      .map(({ queue, bytes }, index) => ({
        owner: id,
        batch,
        index,
        queue,
        bytes: bytes.toString('latin1'),
      }));
  }

  /** @param ends those that leave no trace first, as the script wants them */
  async settle(id: string, ends: readonly End[]): Promise<SettleAnswer> {
    const plain = ends.filter(({ outcome }) => outcome === 'done' || outcome === 'released');
    const runs = plain.flatMap(({ claim }) => [claim.queue, claim.batch, claim.index, claim.index]);
    const others = ends.slice(plain.length).flatMap(argumentsOf);
    const scriptKeys = [
      keyspace.instances,
      keyspace.jobs(id as InstanceId),
      keys.retry,
      keys.dead,
      keys.queues,
      keyspace.recoveries,
    ];
    const args = [
      id,
      keyspace.jobPrefix,
      keys.queuePrefix,
      1_000_000,
      10_000,
      plain.length,
      ...runs,
      ...others,
    ];
    const [registered, notHeld] = (await this.run('settle', scriptKeys, args)) as [
      number,
      number[],
      number[],
    ];
    return { registered: registered === 1, notHeld };
  }

  async beat(id: string, mode: BeatMode): Promise<string> {
    const own = id as InstanceId;
    const scriptKeys = [keyspace.instances, keyspace.instance(own), keyspace.vitals(own)];
    return String(await this.run('beat', scriptKeys, [id, ttlMs, mode, 'rss', 1]));
  }

  /** @param members as recoverers read them before: some may have ended since */
  async recover(
    id: string,
    members: readonly string[],
    position: 'next' | 'last',
  ): Promise<RecoverAnswer | 'alive'> {
    const own = id as InstanceId;
    const registry = [keyspace.instances, keyspace.deadInstances, keyspace.instance(own)];
    const held = [keyspace.jobs(own), keyspace.claims(own), keys.queues];
    const scriptKeys = [
      ...registry,
      ...held,
      keyspace.recoveries,
      keyspace.suspect(own),
      keyspace.vitals(own),
    ];
    const reply = await this.run('recover', scriptKeys, [
      id,
      keyspace.jobPrefix,
      keys.queuePrefix,
      position,
      ...[neverPoison, windowSeconds],
      ...members,
    ]);
    if (Buffer.isBuffer(reply)) return 'alive';
    const [declared, recovered, missing, , remaining] = reply as [number, number, Buffer[], Buffer[], number];
    return { declaredDead: declared === 1, recovered, missing: missing.length, remaining };
  }

  async retire(id: string): Promise<string> {
    const own = id as InstanceId;
    const held = [keyspace.jobs(own), keyspace.claims(own), keyspace.suspect(own)];
    const seen = [keyspace.sightings, keyspace.lapses, keyspace.watch, keyspace.lastPass, keyspace.recovered];
    const scriptKeys = [keyspace.instances, keyspace.instance(own), ...held, ...seen, keyspace.vitals(own)];
    return String(await this.run('retire', scriptKeys, [id]));
  }

  private async run(
    name: ScriptName,
    scriptKeys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ) {
    return await this.connection.callBuffer(
      'EVAL',
      this.texts[name],
      scriptKeys.length,
      ...scriptKeys,
      ...args,
    );
  }
}

function argumentsOf({ claim, known, outcome, bytes }: End): readonly (string | number | Buffer)[] {
  const member = memberOf(claim);
  if (outcome === 'retry') return [member, known, 'retry', bytesOf(bytes), 1_000];
  if (outcome === 'dead') return [member, known, 'dead', bytesOf(bytes), ''];
  return [member, known, outcome, bytesOf(bytes), claim.queue];
}
