/** A real redis-server for a test file: emptied before each test and stopped after the last. A test that leaves a connection open fails its file. */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { eventually } from './eventually.js';
import { RedisServer } from './redis-server.js';

export class TestRedis extends RedisServer {
  async empty(): Promise<void> {
    await this.admin?.flushall();
  }

  /** Fails when somebody but us is still connected. */
  async expectNobodyConnected(): Promise<void> {
    await eventually(async () => {
      const list = String(await this.admin?.client('LIST'));
      const others = list
        .trim()
        .split('\n')
        .filter((line) => !line.includes('cmd=client'));
      if (others.length > 0) throw new Error(`connections left open:\n${others.join('\n')}`);
    });
  }
}

export function useRedis(extra: readonly string[] = []): TestRedis {
  const redis = new TestRedis();
  beforeAll(() => redis.start(extra));
  beforeEach(() => redis.empty());
  afterEach(() => redis.closeConnections());
  afterAll(async () => {
    try {
      await redis.expectNobodyConnected();
    } finally {
      await redis.stop();
    }
  });
  return redis;
}
