/**
 * Speaks for all the connections of a process. It has half a dozen, and they are cut together: that Redis is away is one
 * line in the log, and that it is back another, however many connections there are and however often they try. What each of
 * them meets is in the log at the level debug.
 */
import type { ConnectionNews, ConnectionReporter, ConnectionTrouble } from './connection-news.js';
import type { ConnectionRefusal } from './connection-refusal.js';
import type { Logger } from './logger.js';

/** Redis is back when all connections have been ready for so long: one that is cut again and again costs no two lines each. */
const steadyMs = 1_000;

export class Outages {
  /** Connections in trouble. */
  private readonly away = new Set<string>();
  /** What the log says of Redis; undefined: nothing, it is there. */
  private headline: string | undefined;
  private sinceMs = 0;
  private steady: NodeJS.Timeout | undefined;

  constructor(private readonly logger: Logger) {}

  /** Whether the log's last word is that Redis is away, or refuses. */
  get isAway(): boolean {
    return this.headline !== undefined;
  }

  readonly hear: ConnectionReporter = (news) => {
    if (news.kind === 'trouble') this.onTrouble(news);
    else this.onOver(news);
  };

  private onTrouble({ id, connection, refusal, reason }: ConnectionTrouble): void {
    clearTimeout(this.steady);
    this.away.add(id);
    this.logger.debug({ connection, reason }, 'A connection to Redis is in trouble');
    const headline = refusal?.what ?? 'Redis is away';
    // A server that goes away first closes connections and then refuses them: what is known to refuse says more.
    if (headline === this.headline || (this.headline !== undefined && refusal === undefined)) return;
    if (this.headline === undefined) this.sinceMs = performance.now();
    this.headline = headline;
    // Without its stack: that is the client library's.
    this.logger.warn({ reason }, textOf(refusal));
  }

  private onOver({ kind, id, connection }: Exclude<ConnectionNews, ConnectionTrouble>): void {
    if (this.away.delete(id)) this.logger.debug({ connection }, `A connection to Redis is ${kind}`);
    if (kind === 'ended' || this.away.size > 0 || this.headline === undefined) return;
    const awayMs = Math.round(performance.now() - this.sinceMs);
    clearTimeout(this.steady);
    this.steady = setTimeout(() => this.sayBack(awayMs), steadyMs).unref();
  }

  private sayBack(awayMs: number): void {
    this.headline = undefined;
    this.logger.info({ awayMs }, 'Redis is back');
  }
}

function textOf(refusal: ConnectionRefusal | undefined): string {
  if (refusal === undefined) return 'Redis is away; trying again until it is back';
  const { what, advice, lasts } = refusal;
  return `${what}; ${lasts === 'final' ? 'this connection ends' : 'trying again until that is over'}. ${advice}`;
}
