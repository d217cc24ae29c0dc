/** The workers that a process can run, by their names on the wire. It knows those it was given, and no others. */
import { didYouMean, TsqError } from '@tsq/core';
import { type AnyWorker, type RegisteredWorker, registered } from './registered-worker.js';

export class WorkerRegistry {
  private readonly workers = new Map<string, RegisteredWorker>();
  private readonly added = new Set<AnyWorker>();

  /** @throws TSQ_WORKER_INVALID, TSQ_WORKER_DUPLICATE */
  constructor(workers: Iterable<AnyWorker> = []) {
    for (const worker of workers) this.add(worker);
  }

  /**
   * Adding the same worker again changes nothing: modules export each other's.
   * @param file that it came from, for messages
   * @throws TSQ_WORKER_INVALID not a worker
   * @throws TSQ_WORKER_DUPLICATE another worker has the name
   */
  add(worker: AnyWorker, file?: string): this {
    if (this.added.has(worker)) return this;
    const entry = registered(worker, file);
    const other = this.workers.get(entry.name);
    if (other !== undefined) {
      const message = `two workers are called "${entry.name}": ${other.source} and ${entry.source}; give one another \`name\``;
      throw new TsqError('TSQ_WORKER_DUPLICATE', message);
    }
    this.added.add(worker);
    this.workers.set(entry.name, entry);
    return this;
  }

  get names(): readonly string[] {
    return [...this.workers.keys()];
  }

  /** undefined: none of this name was added. */
  get(name: string): RegisteredWorker | undefined {
    return this.workers.get(name);
  }

  /** @throws TSQ_WORKER_UNKNOWN */
  find(name: string): RegisteredWorker {
    const worker = this.workers.get(name);
    if (worker !== undefined) return worker;
    const hint = didYouMean(name, this.names);
    throw new TsqError('TSQ_WORKER_UNKNOWN', `this process has no worker "${name}"${hint}`);
  }
}
