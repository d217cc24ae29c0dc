/**
 * claim-known.lua, typed: takes only jobs of classes that this process has, so that the others stay for Ruby on the same
 * queue, in their order. The script looks at text; what it took is parsed here, and a job whose own class is another goes
 * back. What must stay true: such a job is remembered, or two processes would hand it to each other without end.
 */
import { createHash } from 'node:crypto';
import { type Logger, LuaScript, Payload, TsqError } from '@tsq/core';
import { type ClaimReply, claimArguments, claimKeys, maxJobsPerClaim, readClaim } from './claim.js';
import type { InstanceId, Keyspace } from './keyspace.js';
import type { ScriptCall } from './round-trip.js';

export interface OnlyKnown {
  /** Names on the wire. */
  readonly classes: readonly string[];
  /** In each queue a claim looks past so many jobs of other classes. 1 up. Default 1000. */
  readonly lookPast?: number;
}

const script = new LuaScript(new URL('./claim-known.lua', import.meta.url));

/** Payloads that only look like ours; beyond so many the oldest is forgotten, and taken and given back once more. */
const mostRemembered = 100;

export class KnownClaim {
  private readonly classes: ReadonlySet<string>;
  private readonly texts: readonly string[];
  private readonly lookPast: number;
  private readonly mistaken = new Set<string>();
  private readonly full = new Set<string>();

  /** @throws TSQ_CONFIG_INVALID */
  constructor(
    { classes, lookPast = 1_000 }: OnlyKnown,
    private readonly logger: Logger,
  ) {
    this.classes = new Set(classes);
    this.texts = classes.map((name) => JSON.stringify(name));
    this.lookPast = lookPast;
    checkTexts(this.texts);
    if (Number.isSafeInteger(lookPast) && lookPast > 0) return;
    throw new TsqError('TSQ_CONFIG_INVALID', `lookPast: expected an integer from 1 up, got ${lookPast}`);
  }

  call(
    keyspace: Keyspace,
    id: InstanceId,
    queues: readonly string[],
    max: number,
    lastBatch: number,
  ): ScriptCall {
    const head = claimArguments(keyspace, id, [], max, lastBatch);
    const { texts, mistaken } = this;
    const args = [...head, this.lookPast, texts.length, ...texts, mistaken.size, ...mistaken, ...queues];
    return { script, keys: claimKeys(keyspace, id, queues), args };
  }

  read(raw: unknown, queues: readonly string[], max: number): ClaimReply | 'unregistered' {
    if (Buffer.isBuffer(raw)) return 'unregistered';
    // The shape that the script's header gives.
    const [batch, paused, unusable, cancellations, crowded, full, ...taken] = raw as readonly [
      ...[batch: number, paused: number[], unusable: number[], cancellations: 0 | 1],
      ...[crowded: number[], full: number[], ...taken: unknown[]],
    ];
    const reply = readClaim([batch, paused, unusable, cancellations, ...taken], queues);
    if (reply === 'unregistered') return reply;
    const isFull = (queue: string) => full.includes(queues.indexOf(queue));
    // A claim that got all it asked for has not looked at the last queues, and never at a paused one.
    const isWhole = reply.jobs.length < Math.min(max, maxJobsPerClaim);
    const looked = queues.filter((queue) => isFull(queue) || (isWhole && !reply.paused.includes(queue)));
    this.noteFull(looked, isFull);
    return { ...reply, crowded: queues.filter((_name, position) => crowded.includes(position)) };
  }

  /** Whether its own class is one of ours. What can't be read is for Ruby too. */
  accepts(bytes: Buffer): boolean {
    if (this.classes.has(classOf(bytes) ?? '')) return true;
    if (this.mistaken.size === mostRemembered) {
      for (const oldest of this.mistaken) {
        this.mistaken.delete(oldest);
        break;
      }
    }
    this.mistaken.add(createHash('sha1').update(bytes).digest('hex'));
    return false;
  }

  private noteFull(looked: readonly string[], isFull: (queue: string) => boolean): void {
    for (const queue of looked) {
      if (isFull(queue) === this.full.has(queue)) continue;
      if (this.full.delete(queue)) {
        this.logger.info({ queue }, 'jobs of other classes are not in the way any more');
        continue;
      }
      this.full.add(queue);
      this.logger.warn(
        { queue, lookPast: this.lookPast },
        'the line begins with more jobs of other classes than a claim looks past: those of ours behind them wait until somebody takes some of these',
      );
    }
  }
}

function classOf(bytes: Buffer): string | undefined {
  try {
    return Payload.parse(bytes).class;
  } catch {
    return undefined; // the caller has a word for it
  }
}

/** A name that JSON escapes can be written in several ways, and the script compares text. */
function checkTexts(texts: readonly string[]): void {
  const escaped = texts.find((text) => text.includes('\\'));
  if (escaped === undefined) return;
  throw new TsqError(
    'TSQ_CONFIG_INVALID',
    `onlyKnown: expected names of workers that JSON does not escape, got ${escaped}; give that worker another \`name\``,
  );
}
