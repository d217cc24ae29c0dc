/** What a version of Ruby's Sidekiq writes, byte for byte: the files of tests/fixtures/captures. */
import { readdirSync, readFileSync } from 'node:fs';
import type { TestRedis } from '@tsq/core/test-support';

type Redis = ReturnType<TestRedis['connect']>;

const folder = new URL('../../fixtures/captures/', import.meta.url);

export class Capture {
  private constructor(
    /** `6.0`, `7.3`, ... */
    readonly version: string,
    private readonly values: ReadonlyMap<string, Buffer>,
  ) {}

  static all(): readonly Capture[] {
    const names = readdirSync(folder).sort();
    return names.map(
      (name) => new Capture(name.replace('.txt', ''), valuesIn(readFileSync(new URL(name, folder)))),
    );
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  bytes(name: string): Buffer {
    const value = this.values.get(name);
    if (value === undefined) throw new Error(`the capture of ${this.version} has no ${name}`);
    return value;
  }

  text(name: string): string {
    return this.bytes(name).toString();
  }

  /** Its process, with the job that it runs, as the pages of any version look for them. */
  async showProcess(redis: Redis): Promise<void> {
    const identity = this.text('process');
    const fields = [...this.values].flatMap(([name, value]): (string | Buffer)[] =>
      name.startsWith('process.') ? [name.slice('process.'.length), value] : [],
    );
    await redis.sadd('processes', identity);
    await redis.hset(identity, ...fields);
    await redis.hset(`${identity}:${this.text('work.key')}`, 'a1b2', this.bytes('work'));
  }
}

function valuesIn(file: Buffer): ReadonlyMap<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (let at = 0; at < file.length; ) {
    const end = file.indexOf('\n', at);
    const line = file.subarray(at, end);
    const space = line.indexOf(' ');
    const name = line.subarray(0, space).toString();
    if (name !== '#') values.set(name, line.subarray(space + 1));
    at = end + 1;
  }
  return values;
}
