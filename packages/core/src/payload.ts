/** One job's JSON as the bytes that Redis gave, with typed reads and splices. */
import type { JsonValue } from './json.js';

/** Key -> JSON text to put there; undefined takes the key away. */
export type PayloadEdits = Readonly<Record<string, string | undefined>>;

export interface PayloadLimits {
  readonly maxDepth: number;
  readonly maxBytes: number;
}

export class Payload {
  private constructor(readonly bytes: Buffer) {}

  /** @throws TSQ_PAYLOAD_UNREADABLE, TSQ_PAYLOAD_TOO_DEEP, TSQ_PAYLOAD_TOO_LARGE */
  static parse(bytes: Buffer, _limits?: Partial<PayloadLimits>): Payload {
    return new Payload(bytes);
  }

  /** `class`: a string, or parse had thrown. */
  get class(): string {
    throw new Error('stub');
  }

  /** undefined when there is none, or it is not a string. */
  get jid(): string | undefined {
    return this.string('jid');
  }

  has(_key: string): boolean {
    throw new Error('stub');
  }

  /** The value when it is a string. */
  string(_key: string): string | undefined {
    throw new Error('stub');
  }

  /** The value when it is an integer that a number holds exactly. */
  integer(_key: string): number | undefined {
    throw new Error('stub');
  }

  /** The value, exact; undefined when the key is absent. */
  value(_key: string): JsonValue | undefined {
    throw new Error('stub');
  }

  /** The JSON text of the value as it stands there. */
  raw(_key: string): Buffer | undefined {
    throw new Error('stub');
  }

  /** @throws TSQ_PAYLOAD_UNREADABLE when the text of `args` is not JSON */
  args(_bigIntegers?: 'bigint' | 'string'): readonly JsonValue[] {
    throw new Error('stub');
  }

  /** The bytes with these top-level keys set or removed, and all other bytes as they were. */
  edit(_edits: PayloadEdits): Buffer {
    throw new Error('stub');
  }
}
