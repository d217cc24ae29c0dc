/**
 * One process of the fleet, as its last beat described it: of Ruby's Sidekiq, any version, or of tsq. What a version does not
 * write reads as empty; what stands there in another form than any version's, too: a page must show the rest.
 */
import type { Redis } from 'ioredis';
import { TsqError } from '../errors.js';
import { parseJson } from '../exact-json.js';
import type { JsonValue } from '../json.js';
import { keys } from '../keys.js';
import { repliesOf } from './replies.js';

/** Fields of the process hash, in the order in which `ProcessSet` reads them. */
export const processFields = ['info', 'concurrency', 'busy', 'beat', 'quiet', 'rss', 'rtt_us'] as const;

export type ProcessHash = Readonly<Record<(typeof processFields)[number], string | null>>;

/** As Ruby's own processes let go of them. */
const signalTtlSeconds = 60;

type Info = Readonly<Record<string, JsonValue>>;

export class Process {
  private readonly info: Info;

  constructor(
    private readonly redis: Redis,
    /** `HOST:PID:NONCE`. */
    readonly identity: string,
    private readonly hash: ProcessHash,
  ) {
    this.info = infoOf(hash.info);
  }

  get hostname(): string {
    return this.text('hostname');
  }

  get pid(): number {
    return this.number('pid');
  }

  /** Shown behind the name; '' for none. */
  get tag(): string {
    return this.text('tag');
  }

  get labels(): readonly string[] {
    return strings(this.info.labels);
  }

  /** Names, those of all capsules together. */
  get queues(): readonly string[] {
    return strings(this.info.queues);
  }

  /** Jobs that it runs at once: a field of its own from Sidekiq 8.1.2 on, before that a part of `info`. */
  get concurrency(): number {
    return integer(this.hash.concurrency) ?? this.number('concurrency');
  }

  /** Jobs that it ran at its last beat. */
  get busy(): number {
    return integer(this.hash.busy) ?? 0;
  }

  get startedAt(): Date {
    return new Date(this.number('started_at') * 1000);
  }

  /** Its last sign of life. */
  get beatAt(): Date {
    return new Date(Number(this.hash.beat ?? 0) * 1000);
  }

  /** It takes no new jobs. */
  get isQuiet(): boolean {
    return this.hash.quiet === 'true';
  }

  get rssKibibytes(): number {
    return integer(this.hash.rss) ?? 0;
  }

  /** Of a PING at its last beat. */
  get rttMicroseconds(): number {
    return integer(this.hash.rtt_us) ?? 0;
  }

  /** Of Sidekiq, or of tsq; '' before Sidekiq 7.0.2. */
  get version(): string {
    return this.text('version');
  }

  /** It runs inside another program, which a signal would end. */
  get isEmbedded(): boolean {
    return this.info.embedded === true;
  }

  /** Any key of `info`. */
  value(key: string): JsonValue | undefined {
    return Object.hasOwn(this.info, key) ? this.info[key] : undefined;
  }

  /** It takes no new jobs, for good. It hears of it at its next beat, and shows it at the one after. @throws as `stop` */
  quiet(): Promise<void> {
    return this.signal('TSTP');
  }

  /**
   * It ends in good order. It hears of it at its next beat: within 5 to 10 s.
   * @throws TSQ_PROCESS_EMBEDDED: nothing was sent; what the connection throws
   */
  stop(): Promise<void> {
    return this.signal('TERM');
  }

  /** It writes what it is doing to its log. @throws as `stop` */
  dump(): Promise<void> {
    return this.signal('TTIN');
  }

  private async signal(name: string): Promise<void> {
    if (this.isEmbedded) {
      throw new TsqError(
        'TSQ_PROCESS_EMBEDDED',
        `${this.identity} runs inside another program, which ${name} would reach: ask that program to do it`,
      );
    }
    const key = keys.signals(this.identity);
    await repliesOf(this.redis.multi().lpush(key, name).expire(key, signalTtlSeconds));
  }

  private text(key: string): string {
    const value = this.value(key);
    return typeof value === 'string' ? value : '';
  }

  private number(key: string): number {
    const value = this.value(key);
    return typeof value === 'number' ? value : 0;
  }
}

function infoOf(json: string | null): Info {
  try {
    const info = parseJson(json ?? '{}');
    return typeof info === 'object' && info !== null && !Array.isArray(info) ? (info as Info) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {}; // a foreign program's; its identity and its busy count can be shown
    throw error;
  }
}

function strings(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function integer(text: string | null): number | undefined {
  const value = Number.parseInt(text ?? '', 10);
  return Number.isNaN(value) ? undefined : value;
}
