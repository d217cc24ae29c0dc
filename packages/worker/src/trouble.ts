/**
 * Says that something fails when it begins to, when the kind of failure changes, and when it is over: a Redis that is
 * away for an hour costs two lines, not one for each try.
 */
import { type Logger, TsqError } from '@tsq/core';

export class Trouble {
  private kind: string | undefined;
  private count = 0;

  /** @param what the beginning of the log line: `Can't fetch` */
  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  met(error: unknown): void {
    const kind = kindOf(error);
    this.count += 1;
    if (kind === this.kind) return;
    this.kind = kind;
    this.logger.error({ err: error }, `${this.what}; trying again until it works`);
  }

  over(): void {
    if (this.kind === undefined) return;
    this.logger.info({ failures: this.count }, `${this.what}: it works again`);
    this.kind = undefined;
    this.count = 0;
  }
}

/** A code, or the first word of what Redis answered (`OOM`, `READONLY`); all that a lost connection throws is one kind. */
function kindOf(error: unknown): string {
  if (error instanceof TsqError) return error.code;
  if (!(error instanceof Error)) return String(error);
  return error.name === 'ReplyError' ? (error.message.split(' ')[0] ?? '') : error.name;
}
