/**
 * Says that something fails when it begins to, when the kind of failure changes, and when it is over: a Redis that refuses
 * for an hour costs two lines, not one for each try.
 *
 * That Redis is away is said once for the whole process, by its connections (`openConnection`): what fails for that alone
 * says so at the level debug.
 */
import { failureKind } from './failure-kind.js';
import type { Logger } from './logger.js';

export class Trouble {
  private kind: string | undefined;
  private count = 0;
  /** In the log, and not only at debug. */
  private wasSaid = false;

  /** @param what the beginning of the log line: `Can't fetch` */
  constructor(
    private readonly logger: Logger,
    private readonly what: string,
    private readonly level: 'warn' | 'error' = 'error',
  ) {}

  /** Met, and not over yet. */
  get isOn(): boolean {
    return this.kind !== undefined;
  }

  met(error: unknown, fields: object = {}): void {
    const kind = failureKind(error);
    this.count += 1;
    if (kind === this.kind) return;
    this.kind = kind;
    this.wasSaid ||= kind !== 'away';
    const level = kind === 'away' ? 'debug' : this.level;
    this.logger[level]({ ...fields, err: error }, `${this.what}; trying again until it works`);
  }

  over(): void {
    if (this.kind === undefined) return;
    const level = this.wasSaid ? 'info' : 'debug';
    this.logger[level]({ failures: this.count }, `${this.what}: it works again`);
    this.kind = undefined;
    this.count = 0;
    this.wasSaid = false;
  }
}
