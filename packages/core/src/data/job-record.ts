/**
 * A job at rest, as its bytes and what can be read in them. Nothing is parsed before it is asked for. Bytes that nobody can
 * read are a record too: it has no class and no args, but its bytes are there to be looked at and deleted. So is an object that
 * lacks some key: it is no job, and what it has is shown.
 */
import { readTimestampMs } from '../dialect.js';
import { TsqError } from '../errors.js';
import { maxNesting } from '../exact-json.js';
import type { JsonValue } from '../json.js';
import { JsonFields } from '../json-fields.js';
import { scanJsonObject } from '../json-object.js';
import { Payload } from '../payload.js';
import { backtraceLines } from './backtrace.js';
import { type Shown, shownAs } from './display.js';

export class JobRecord {
  private scanned: { readonly fields: JsonFields | undefined } | undefined;
  private read: { readonly args: readonly JsonValue[] | undefined } | undefined;
  private shown: Shown | undefined;

  /**
   * @param bytes as Redis gave them
   * @param ownQueue the queue that the job waits in; by default what the payload says
   */
  constructor(
    readonly bytes: Buffer,
    private readonly ownQueue?: string,
  ) {}

  /** undefined when the bytes are not one JSON object with a class and args. */
  get payload(): Payload | undefined {
    return readable(() => Payload.parse(this.bytes));
  }

  /** undefined when neither the list nor the payload names one. */
  get queue(): string | undefined {
    return this.ownQueue ?? this.fields?.string('queue');
  }

  get jid(): string | undefined {
    return this.fields?.string('jid');
  }

  /** The name on the wire: an ActiveJob's is its wrapper's, see `displayClass`. */
  get class(): string | undefined {
    return this.fields?.string('class');
  }

  /** Exact: an integer beyond 2^53 is a BigInt. */
  get args(): readonly JsonValue[] | undefined {
    this.read ??= { args: asArray(this.value('args')) };
    return this.read.args;
  }

  /** As Sidekiq's pages show it: an ActiveJob's own class, `Mailer#method` of a mail, or the payload's `display_class`. */
  get displayClass(): string | undefined {
    return this.show()?.class ?? this.class;
  }

  /** Those of the job inside an ActiveJob wrapper; of an encrypted job, without the ciphertext. */
  get displayArgs(): readonly JsonValue[] | undefined {
    return this.show()?.args;
  }

  get createdAt(): Date | undefined {
    return this.date('created_at');
  }

  /** When it last came to a queue: in `retry` and `dead`, before it failed. */
  get enqueuedAt(): Date | undefined {
    return this.date('enqueued_at');
  }

  /** When it failed first. */
  get failedAt(): Date | undefined {
    return this.date('failed_at');
  }

  /** When it failed last, if not for the first time. */
  get retriedAt(): Date | undefined {
    return this.date('retried_at');
  }

  /** 0 after the first failure, -1 after that one was retried by hand. */
  get retryCount(): number | undefined {
    return this.fields?.integer('retry_count');
  }

  get errorClass(): string | undefined {
    return this.fields?.string('error_class');
  }

  get errorMessage(): string | undefined {
    return this.fields?.string('error_message');
  }

  /** The lines, unpacked; undefined when none are stored, or what is stored can't be read. */
  get errorBacktrace(): readonly string[] | undefined {
    return backtraceLines(this.value('error_backtrace'));
  }

  get tags(): readonly string[] {
    const tags = this.value('tags');
    return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  }

  /** Of the batch (Sidekiq Pro) that it belongs to. */
  get bid(): string | undefined {
    return this.fields?.string('bid');
  }

  /** Any key of the payload, exact; undefined when it is absent. */
  value(key: string): JsonValue | undefined {
    return readable(() => this.fields?.value(key));
  }

  /** undefined when the bytes are not one JSON object. */
  private get fields(): JsonFields | undefined {
    this.scanned ??= { fields: readable(() => new JsonFields(scanJsonObject(this.bytes, maxNesting))) };
    return this.scanned.fields;
  }

  private show(): Shown | undefined {
    const { class: name, args } = this;
    if (name === undefined || args === undefined) return undefined;
    this.shown ??= shownAs({ class: name, args, value: (key) => this.value(key) });
    return this.shown;
  }

  private date(key: string): Date | undefined {
    const raw = this.fields?.raw(key);
    const epochMs = raw === undefined ? undefined : readTimestampMs(raw);
    return epochMs === undefined ? undefined : new Date(epochMs);
  }
}

function asArray(value: JsonValue | undefined): readonly JsonValue[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** undefined where the bytes can't be read; the rest is somebody's mistake, and is thrown. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TsqError || error instanceof SyntaxError || error instanceof RangeError)
      return undefined;
    throw error;
  }
}
