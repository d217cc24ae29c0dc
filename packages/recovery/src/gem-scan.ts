/**
 * Finds the instances of the tracker gem in a namespace that it shares with tsq. They register nowhere, so the only way to
 * learn of them is to look through the keyspace; it is done bit by bit, with SCAN and never KEYS, so that Redis serves
 * others in between, and looks and passes of the recoverer come between two slices of it.
 */
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';

/** Keys that one SCAN looks at: some 0.1 ms of Redis' time. */
const keysPerCall = 500;
const callsPerSlice = 20;

export class GemScan {
  private readonly prefix: string;
  private readonly pattern: string;
  private cursor = '0';
  private found = new Set<InstanceId>();

  constructor(
    private readonly redis: Redis,
    keyspace: Keyspace,
  ) {
    this.prefix = keyspace.jobs('' as InstanceId); // the key of no id is what stands before one
    this.pattern = `${this.prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
  }

  /** A round has begun, and has not come to its end. */
  get isUnderWay(): boolean {
    return this.cursor !== '0';
  }

  /** Answers, at the end of a round, all ids that have a `jobs:ID`: the whole of what follows the prefix, colons and all. */
  async slice(): Promise<readonly InstanceId[] | undefined> {
    for (let call = 0; call < callsPerSlice; call += 1) {
      const args = ['MATCH', this.pattern, 'COUNT', keysPerCall, 'TYPE', 'set'];
      const [cursor, page] = (await this.redis.call('SCAN', this.cursor, ...args)) as [string, string[]];
      for (const key of page) this.found.add(key.slice(this.prefix.length) as InstanceId);
      this.cursor = cursor;
      if (!this.isUnderWay) return this.end();
    }
    return undefined;
  }

  private end(): readonly InstanceId[] {
    const found = [...this.found];
    this.found = new Set();
    return found;
  }
}
