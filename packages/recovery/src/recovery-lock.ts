/**
 * The lock that spares work: one instance recovers at a time. It guards nothing. It may expire in the middle of a pass or be
 * deleted by a stranger, and two recover at once: recover.lua puts each orphan back once all the same.
 */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { readWord } from './read-word.js';

const script = new LuaScript(new URL('./release-lock.lua', import.meta.url));

export class RecoveryLock {
  constructor(
    private readonly redis: Redis,
    private readonly keyspace: Keyspace,
    private readonly ttlMs: number,
  ) {}

  /** `held`: by an instance that lives. One that died in its pass loses the lock to the next who asks, not to time. */
  async take(own: InstanceId): Promise<'taken' | 'held'> {
    if (await this.tryTake(own)) return 'taken';
    const holder = (await this.redis.get(this.keyspace.recoveryLock)) as InstanceId | null;
    if (holder === own) return 'taken'; // its release, or the reply to its taking, was lost on the way
    if (holder !== null) {
      if ((await this.redis.exists(this.keyspace.instance(holder))) === 1) return 'held';
      await this.release(holder);
    }
    return (await this.tryTake(own)) ? 'taken' : 'held';
  }

  /** `not-held`: it expired, or is another's, and was left alone. */
  async release(holder: InstanceId): Promise<'released' | 'not-held'> {
    const reply = await script.run(this.redis, [this.keyspace.recoveryLock], [holder]);
    return readWord(reply, ['released', 'not-held']);
  }

  private async tryTake(own: InstanceId): Promise<boolean> {
    return (await this.redis.set(this.keyspace.recoveryLock, own, 'PX', this.ttlMs, 'NX')) === 'OK';
  }
}
