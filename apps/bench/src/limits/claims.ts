/**
 * The leanest claims over one connection: registered, by token, ended under a fence. What a limit does with them is its own.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { countedJobs } from '../count.js';

export interface LeanClaim {
  readonly batch: number;
  readonly index: number;
  readonly payload: Buffer;
}

type Reply = readonly [error: Error | null, value: unknown];

const claimScript = readFileSync(new URL('./claim.lua', import.meta.url), 'utf8');
const settleScript = readFileSync(new URL('./settle.lua', import.meta.url), 'utf8');

export class LeanClaims {
  private readonly id = `limit.${randomBytes(6).toString('hex')}`;

  private constructor(
    readonly redis: Redis,
    private readonly claimSha: string,
    private readonly settleSha: string,
  ) {}

  static async open(): Promise<LeanClaims> {
    const redis = new Redis(process.env.REDIS_URL ?? '');
    const shas = [await redis.script('LOAD', claimScript), await redis.script('LOAD', settleScript)];
    const claims = new LeanClaims(redis, String(shas[0]), String(shas[1]));
    await redis.sadd('tsq:instances', claims.id);
    return claims;
  }

  /** One round trip: the ends first, then so many jobs. */
  async exchange(ended: readonly LeanClaim[], limit: number): Promise<readonly LeanClaim[]> {
    const { id, redis } = this;
    const jobs = `tsq:jobs:${id}`;
    const pipeline = redis.pipeline();
    if (ended.length > 0) {
      const tokens = ended.flatMap(({ batch, index }) => [batch, index]);
      pipeline.evalsha(this.settleSha, 1, jobs, id, 'tsq:job:', ...tokens);
    }
    if (limit > 0) {
      const keys = ['tsq:instances', 'queue:default', `tsq:claims:${id}`, jobs];
      pipeline.callBuffer('EVALSHA', this.claimSha, 4, ...keys, id, 'tsq:job:', limit);
    }
    const replies = (await pipeline.exec()) as readonly Reply[];
    for (const [error] of replies) if (error !== null) throw error;
    return limit > 0 ? claimsIn(replies.at(-1)?.[1]) : [];
  }

  /** Says what it has done, as a worker does, and leaves nothing behind. */
  async close(): Promise<void> {
    const { redis, id } = this;
    await redis.incrby('stat:processed', countedJobs());
    await redis.del('tsq:instances', `tsq:claims:${id}`);
    redis.disconnect();
  }
}

function claimsIn(reply: unknown): readonly LeanClaim[] {
  const [batch, payloads] = reply as readonly [number, readonly Buffer[]];
  return payloads.map((payload, index) => ({ batch, index, payload }));
}
