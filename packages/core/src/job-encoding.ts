/**
 * A job's bytes as a client writes them. The text is put together around the stringified args, in Sidekiq's order of keys
 * (defaults and options, class, args, jid, timestamps): an object to be stringified whole costs ten times as much.
 */
import type { ClientJob } from './client-middleware.js';
import { type Dialect, timestampJson } from './dialect.js';
import { stringifyJson } from './exact-json.js';

/** What goes to Redis for one job. */
export interface EncodedJob {
  readonly queue: string;
  readonly payload: string;
  /** Seconds since the epoch as decimal text, when it goes to `schedule`; undefined: to its queue. */
  readonly score: string | undefined;
}

/** @param atSeconds in the future, or undefined; `at` itself is never stored, or Ruby's poller would schedule it again */
export function encodeJob(job: ClientJob, atSeconds: number | undefined, dialect: Dialect): EncodedJob {
  const nowMs = Date.now();
  const now = timestampJson(dialect, nowMs);
  const enqueuedAt = atSeconds === undefined ? `,"enqueued_at":${now}` : '';
  return {
    queue: job.queue,
    payload:
      `{"retry":${job.retry},"queue":${quote(job.queue)}${optionsText(job)}${expiryText(job, nowMs, atSeconds)}` +
      `,"class":${quote(job.class)},"args":${stringifyJson(job.args)}` +
      `,"jid":${quote(job.jid)},"created_at":${now}${enqueuedAt}}`,
    score: atSeconds === undefined ? undefined : scoreText(atSeconds),
  };
}

function optionsText(job: ClientJob): string {
  let text = '';
  if (job.retryFor !== undefined) text += `,"retry_for":${Math.trunc(job.retryFor)}`;
  if (job.retryQueue !== undefined) text += `,"retry_queue":${quote(job.retryQueue)}`;
  if (job.backtrace !== undefined) text += `,"backtrace":${job.backtrace}`;
  if (job.dead !== undefined) text += `,"dead":${job.dead}`;
  if (job.tags !== undefined) text += `,"tags":${JSON.stringify(job.tags)}`;
  if (job.logLevel !== undefined) text += `,"log_level":${quote(job.logLevel)}`;
  if (job.tracked !== undefined) text += `,"tracked":${job.tracked}`;
  for (const [key, value] of Object.entries(job.custom)) {
    text += `,${quote(key)}:${stringifyJson(value)}`;
  }
  return text;
}

/** With the point in time itself: once the job stands in its queue, nothing says any more when it was due. */
function expiryText(job: ClientJob, nowMs: number, atSeconds: number | undefined): string {
  if (job.expiresIn === undefined) return '';
  const dueAtMs = atSeconds === undefined ? nowMs : atSeconds * 1_000;
  const expiry = timestampJson('seconds', dueAtMs + job.expiresIn * 1_000);
  return `,"expires_in":${job.expiresIn},"expiry":${expiry}`;
}

/** JSON text of a name. Almost every name is plain, and JSON.stringify costs five times as much as the look at it. */
function quote(text: string): string {
  return /^[\w:.-]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Of a sorted set: always with a fraction, as Ruby's Float has it. Between now and 1e11 a number's text has no exponent. */
export function scoreText(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds);
}
