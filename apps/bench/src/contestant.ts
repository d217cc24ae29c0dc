/** Who is measured: how its worker process is started, and the line that its jobs stand in. */
import type { Redis } from 'ioredis';
import type { Line } from './lines/line.js';

export interface Contestant {
  readonly name: string;
  /** In a drain: enough for some seconds. */
  readonly jobs: number;
  /** Jobs at once. */
  readonly concurrency: number;
  readonly command: readonly string[];
  /** Of its worker process, beside the environment. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly line: (place: { readonly url: string; readonly admin: Redis }) => Line;
}
