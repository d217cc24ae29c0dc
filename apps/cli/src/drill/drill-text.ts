/** What a drill says to people: beforehand what it will do, and at the end what it has shown. */
import { shownLocation } from '@tsq/core';
import type { Paint } from '../output.js';
import type { DrillReport } from './drill.js';
import { type DrillName, type DrillSettings, longestSeconds, workSeconds } from './drill-settings.js';

export function planText(name: DrillName, settings: DrillSettings): string {
  const { location, concurrency, jobs, jobSeconds, fastDetection, heartbeatTtlSeconds } = settings;
  const rule = fastDetection
    ? `by its connections; in doubt by its heartbeat, after ${heartbeatTtlSeconds} s`
    : `by its heartbeat, after ${heartbeatTtlSeconds} s`;
  const usualSeconds = Math.ceil(workSeconds(settings) + (fastDetection ? 10 : heartbeatTtlSeconds + 10));
  return [
    `A drill on ${shownLocation(location)}, on a queue and a namespace of its own: ${name}`,
    `  1  start two tsq-worker processes, ${concurrency} jobs at once each`,
    `  2  enqueue ${jobs} tracked jobs of ${jobSeconds} s`,
    '  3  kill one of the two with kill -9, in the middle of its jobs',
    `  4  see how the other one finds out (${rule}), and runs them all`,
    '  5  take away all that it made. Your queues and jobs are not touched; Ctrl-C ends it, and cleans up too',
    `It takes some ${usualSeconds} s, and ${longestSeconds(settings)} s at most after the kill.`,
    '',
  ].join('\n');
}

export function reportText(report: DrillReport, settings: DrillSettings, paint: Paint): string {
  const { startedAgainSeconds: again, putBackSeconds, lost, duplicated, unfinished } = report;
  const rows: readonly (readonly [string, string])[] = [
    ['jobs', `${report.jobs}, of which ${report.ended} ended`],
    ['lost', count(lost, paint)],
    ['duplicated', `${count(duplicated, paint)}, that is, ended more than once`],
    ...(unfinished === 0 ? [] : [['unfinished', `${unfinished} still in Redis when time was up`] as const]),
    ['in flight', `${report.inFlight} when their process was killed`],
    ['death seen by', ruleText(report, settings)],
    ['put back', putBackSeconds === undefined ? 'not seen' : `${seconds(putBackSeconds)} after the kill`],
    ['started again', again === undefined ? 'not all of them' : `${range(again)} after the kill`],
  ];
  const table = rows.map(([name, text]) => `  ${name.padEnd(16)}${text}`);
  const away = report.redisWasAway
    ? ['Redis did not answer for a while: what it lost in that, no worker can know.']
    : [];
  return ['', ...table, '', ...away, verdictText(report, paint)].join('\n');
}

function count(number: number, paint: Paint): string {
  return number === 0 ? paint.good('0') : paint.bad(String(number));
}

function ruleText({ rule }: DrillReport, { heartbeatTtlSeconds }: DrillSettings): string {
  if (rule === undefined) return 'nobody';
  return rule === 'connections'
    ? 'its connections (fast detection)'
    : `its heartbeat (TTL ${heartbeatTtlSeconds} s)`;
}

function verdictText({ verdict }: DrillReport, paint: Paint): string {
  if (verdict === 'passed') return paint.good('Passed: nothing was lost, and nothing ended twice.');
  if (verdict === 'failed') return paint.bad('Failed: see above.');
  return paint.bad('Inconclusive: nothing was lost, but not every job came to its end in time.');
}

function range({ first, last }: { readonly first: number; readonly last: number }): string {
  return seconds(first) === seconds(last) ? seconds(last) : `${seconds(first)} to ${seconds(last)}`;
}

function seconds(number: number): string {
  return `${number.toFixed(1)} s`;
}
