/** A redis-server of a benchmark's or the soak's own: no persistence, a free port, a folder that goes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export class PrivateRedis {
  private constructor(
    readonly url: string,
    readonly admin: Redis,
    private readonly server: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(): Promise<PrivateRedis> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'tsq-bench-'));
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    const server = spawn('redis-server', args, { stdio: 'ignore' });
    const url = `redis://127.0.0.1:${port}/0`;
    const admin = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    admin.on('error', () => undefined); // refused until the server listens
    await admin.ping();
    return new PrivateRedis(url, admin, server, folder);
  }

  /** Before everybody else on this machine, so that a long script was long itself, and did not wait for a processor. */
  prefer(): 'preferred' | 'not allowed' {
    try {
      setPriority(this.server.pid ?? 0, -20);
      return 'preferred';
    } catch {
      return 'not allowed'; // to anybody but root
    }
  }

  async stop(): Promise<void> {
    this.admin.disconnect();
    const gone = new Promise((resolve) => this.server.once('exit', resolve));
    this.server.kill('SIGTERM');
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
