/**
 * The keys of Sidekiq's metrics, in the two forms that its versions read: 7 its own, 8 its own, and neither the other's.
 * What is a form's own must stay so: `20:4` is minute four in the form of 7, and the ten minutes from 20:40 in that of 8; only
 * the year's width tells them apart. All in UTC.
 */

/** How one generation of Sidekiq names what it counts. Each reads its own form only. */
export interface MetricsForm {
  /** HASH `CLASS|p`, `CLASS|f`, `CLASS|ms` of one minute. */
  minute(at: Date): string;
  /** The same of ten minutes, for the hours that minutes are not kept; undefined where the form has none. */
  readonly tenMinutes: ((at: Date) => string) | undefined;
  /** STRING, see histogram.ts, of one class and minute. */
  histogram(name: string, at: Date): string;
}

export type MetricsFormName = 'sidekiq7' | 'sidekiq8';

export const metricsForms: Readonly<Record<MetricsFormName, MetricsForm>> = {
  sidekiq7: {
    minute: (at) => `j|${day(at)}|${at.getUTCHours()}:${at.getUTCMinutes()}`,
    tenMinutes: undefined,
    histogram: (name, at) =>
      `${name}-${padded(at.getUTCDate())}-${padded(at.getUTCHours())}:${at.getUTCMinutes()}`,
  },
  sidekiq8: {
    minute: minuteOf8,
    tenMinutes: (at) => minuteOf8(at).slice(0, -1),
    histogram: (name, at) => `h|${name}-${at.getUTCDate()}-${at.getUTCHours()}:${at.getUTCMinutes()}`,
  },
};

/** For how long they are kept, in seconds. */
export const metricsTtlSeconds = { minute: 28_800, tenMinutes: 259_200, histogram: 28_800, marks: 7_776_000 };

/** HASH ISO minute -> label, the deploys of one day. */
export function marksKey(at: Date): string {
  return `${day(at)}-marks`;
}

function minuteOf8(at: Date): string {
  return `j|${day(at).slice(2)}|${at.getUTCHours()}:${padded(at.getUTCMinutes())}`;
}

/** YYYYMMDD */
function day(at: Date): string {
  return at.toISOString().slice(0, 10).replaceAll('-', '');
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}
