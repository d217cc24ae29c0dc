/** A redis-server of a benchmark's or the soak's own: no persistence, a free port, a folder that goes with it. */
import { setPriority } from 'node:os';
import { RedisServer } from '@tsq/core/test-support/outside-jest';
import type { Redis } from 'ioredis';

export class PrivateRedis {
  private constructor(
    private readonly server: RedisServer,
    readonly admin: Redis,
  ) {}

  static async start(): Promise<PrivateRedis> {
    const server = new RedisServer();
    await server.start(['--appendonly', 'no']);
    return new PrivateRedis(server, server.connect());
  }

  get url(): string {
    return this.server.url;
  }

  /** Before everybody else on this machine, so that a long script was long itself, and did not wait for a processor. */
  prefer(): 'preferred' | 'not allowed' {
    try {
      setPriority(this.server.pid, -20);
      return 'preferred';
    } catch {
      return 'not allowed'; // to anybody but root
    }
  }

  async stop(): Promise<void> {
    this.server.closeConnections();
    await this.server.stop();
  }
}
