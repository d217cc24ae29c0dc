/**
 * Adds what this process counted by class and minute to Sidekiq's metrics, in the forms that the fleet's pages read.
 *
 * What must stay true: nothing is counted twice. What Redis refused (it is full) or was not sent comes again; what was sent
 * and not answered does not, for a Redis that stalls may have stored up all of it: then a few executions are missing
 * from a page, which is better than a page that shows them many times.
 */
import {
  type MetricsFormName,
  metricsForms,
  metricsTtlSeconds,
  redisTimeMs,
  repliesOf,
  unavailable,
} from '@tsq/core';
import type { ChainableCommander, Redis } from 'ioredis';
import type { ClassMetrics, JobMetrics, MinuteMetrics } from './job-metrics.js';

/** One transaction carries no more classes, so that others are served in between. */
const classesPerTransaction = 100;

/**
 * Sets the clock of `metrics` too, so it asks Redis for the time even when nothing was counted.
 * @throws what the connection throws, or the first error of a key of the wrong type (nothing comes again for that one)
 */
export async function flushMetrics(
  redis: Redis,
  metrics: JobMetrics,
  forms: readonly MetricsFormName[],
): Promise<void> {
  if (redis.status !== 'ready') throw unavailable('the metrics were not sent');
  metrics.setTime(await redisTimeMs(redis));
  const parts = metrics.take().flatMap(inParts);
  for (const [at, part] of parts.entries()) {
    try {
      await repliesOf(commandsFor(redis, part, forms));
    } catch (error) {
      if (isRefusal(error)) metrics.restore([part]);
      else metrics.lose(part);
      metrics.restore(parts.slice(at + 1));
      throw error;
    }
  }
}

/** A transaction that was refused as a whole: nothing of it was executed. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('EXECABORT');
}

function inParts({ minute, classes }: MinuteMetrics): readonly MinuteMetrics[] {
  const entries = [...classes];
  const parts: MinuteMetrics[] = [];
  for (let at = 0; at < entries.length; at += classesPerTransaction) {
    parts.push({ minute, classes: new Map(entries.slice(at, at + classesPerTransaction)) });
  }
  return parts;
}

function commandsFor(redis: Redis, part: MinuteMetrics, forms: readonly MetricsFormName[]) {
  const commands = redis.multi();
  const at = new Date(part.minute * 60_000);
  for (const name of forms) {
    const form = metricsForms[name];
    addCounts(commands, form.minute(at), metricsTtlSeconds.minute, part.classes);
    const { tenMinutes } = form;
    if (tenMinutes !== undefined) {
      addCounts(commands, tenMinutes(at), metricsTtlSeconds.tenMinutes, part.classes);
    }
    for (const [className, { histogram }] of part.classes) {
      addTimes(commands, form.histogram(className, at), histogram);
    }
  }
  return commands;
}

function addCounts(
  commands: ChainableCommander,
  key: string,
  ttlSeconds: number,
  classes: ReadonlyMap<string, ClassMetrics>,
): void {
  for (const [name, { processed, failed, milliseconds }] of classes) {
    commands.hincrby(key, `${name}|p`, processed);
    if (failed > 0) commands.hincrby(key, `${name}|f`, failed);
    if (processed > failed) commands.hincrby(key, `${name}|ms`, Math.round(milliseconds));
  }
  commands.expire(key, ttlSeconds);
}

/** SAT: a counter of 16 bits that is full stays full, where it would begin at 0 again. */
function addTimes(commands: ChainableCommander, key: string, histogram: readonly number[]): void {
  const increments = histogram.flatMap((count, at) =>
    count === 0 ? [] : ['INCRBY', 'u16', `#${at}`, count],
  );
  if (increments.length === 0) return;
  commands.call('BITFIELD', key, 'OVERFLOW', 'SAT', ...increments);
  commands.expire(key, metricsTtlSeconds.histogram);
}
