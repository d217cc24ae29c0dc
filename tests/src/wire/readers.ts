/**
 * What the readers of each version of Sidekiq (Web UI, API, poller, retry) need to find, each need with the versions that have
 * it. A need that is not met is a page that fails, or a process that it does not show.
 */

export const versions = ['6.0', '6.5', '7.3', '8.0', '8.1'] as const;
export type Version = (typeof versions)[number];

/** A process as it stands in Redis. */
export interface ShownProcess {
  readonly identity: string;
  /** Fields of its hash. */
  readonly hash: Readonly<Record<string, string>>;
  /** Kind of its work hash -> an entry of it; `workers` up to 6.4.1, then `work`. */
  readonly work: Readonly<Partial<Record<'workers' | 'work', string>>>;
}

type Json = Readonly<Record<string, unknown>>;

interface Need<T> {
  readonly what: string;
  /** The first version that has it, and the last. */
  readonly from?: Version;
  readonly to?: Version;
  readonly isMet: (subject: T) => boolean;
}

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => typeof value === 'number';
const isNumeral = (text: string | undefined) => text !== undefined && /^\d+(\.\d+)?$/.test(text);
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const areWeights = (value: unknown) => isObject(value) && Object.values(value).every(Number.isInteger);

/** Of `info`, parsed. */
const infoNeeds: readonly Need<Json>[] = [
  { what: 'hostname', isMet: (info) => isText(info.hostname) },
  { what: 'pid, a number', isMet: (info) => isNumber(info.pid) },
  { what: 'started_at, a number: else /busy fails', isMet: (info) => isNumber(info.started_at) },
  { what: 'tag', isMet: (info) => isText(info.tag) },
  { what: 'labels, an array', isMet: (info) => Array.isArray(info.labels) },
  { what: 'identity', isMet: (info) => isText(info.identity) },
  { what: 'queues, an array', isMet: (info) => Array.isArray(info.queues) },
  { what: 'concurrency in info: else /busy fails', to: '8.0', isMet: (info) => isNumber(info.concurrency) },
  {
    what: 'weights, an array of objects with integers',
    from: '7.3',
    isMet: ({ weights }) => Array.isArray(weights) && weights.every(areWeights),
  },
  { what: 'version', from: '7.3', isMet: (info) => isText(info.version) },
  { what: 'embedded, false for the buttons', from: '7.3', isMet: (info) => info.embedded === false },
  {
    what: 'capsules, each with an object of weights',
    from: '8.0',
    isMet: ({ capsules }) =>
      isObject(capsules) &&
      Object.values(capsules).every((capsule) => isObject(capsule) && areWeights(capsule.weights)),
  },
];

const hashNeeds: readonly Need<ShownProcess>[] = [
  { what: 'busy', isMet: ({ hash }) => isNumeral(hash.busy) },
  { what: 'beat, seconds', isMet: ({ hash }) => isNumeral(hash.beat) && Number(hash.beat) < 1e11 },
  { what: 'quiet, true or false as text', isMet: ({ hash }) => /^(true|false)$/.test(hash.quiet ?? '') },
  { what: 'rss', from: '6.5', isMet: ({ hash }) => isNumeral(hash.rss) },
  { what: 'rtt_us', from: '6.5', isMet: ({ hash }) => isNumeral(hash.rtt_us) },
  {
    what: 'the field concurrency: else 0 threads',
    from: '8.1',
    isMet: ({ hash }) => isNumeral(hash.concurrency),
  },
  {
    what: 'its work under ID:workers',
    to: '6.0',
    isMet: ({ work }) => isWork(work.workers, 'object or string'),
  },
  { what: 'its work under ID:work', from: '6.5', isMet: ({ work }) => isWork(work.work, 'string') },
];

const jobNeeds: readonly Need<Json>[] = [
  { what: 'class', isMet: (job) => isText(job.class) },
  { what: 'args, an array', isMet: (job) => Array.isArray(job.args) },
  { what: 'queue', isMet: (job) => isText(job.queue) },
  { what: 'jid', isMet: (job) => isText(job.jid) },
  { what: 'created_at, a number', isMet: (job) => isNumber(job.created_at) },
];

const retryNeeds: readonly Need<Json>[] = [
  ...jobNeeds,
  { what: 'retry_count, an integer', isMet: (job) => Number.isInteger(job.retry_count) },
  { what: 'error_class', isMet: (job) => isText(job.error_class) },
  { what: 'error_message', isMet: (job) => isText(job.error_message) },
  { what: 'failed_at, a number', isMet: (job) => isNumber(job.failed_at) },
];

/** Times of a payload that this version takes for another year: 6 and 7 take each for seconds, 8 an integer for milliseconds. */
function wrongTimes(version: Version, text: string): readonly string[] {
  const times = text.matchAll(/"(\w+_at)":(-?[\d.]+(?:[eE][+-]?\d+)?)/g);
  return [...times].flatMap(([, key = '', number = '']) => {
    const isSeconds = version < '8' || /[.eE]/.test(number);
    const epochMs = Number(number) * (isSeconds ? 1_000 : 1);
    return epochMs > 1e12 && epochMs < 1e13 ? [] : [`${key} between 2001 and 2286`];
  });
}

function isWork(entry: string | undefined, payload: 'string' | 'object or string'): boolean {
  const work: unknown = JSON.parse(entry ?? 'null');
  if (!isObject(work) || !isText(work.queue) || !isNumber(work.run_at)) return false;
  if (typeof work.payload === 'string') return isObject(JSON.parse(work.payload));
  return payload !== 'string' && isObject(work.payload);
}

function unmet<T>(version: Version, needs: readonly Need<T>[], subject: T): readonly string[] {
  const ofVersion = needs.filter(({ from = '6.0', to = '8.1' }) => from <= version && version <= to);
  return ofVersion.filter(({ isMet }) => !isMet(subject)).map(({ what }) => what);
}

/** What the readers of a version miss; nothing when they are content. */
export const missedBy = {
  process: (version: Version, process: ShownProcess): readonly string[] => {
    const info = JSON.parse(process.hash.info ?? '{}');
    return [...unmet(version, infoNeeds, info), ...unmet(version, hashNeeds, process)];
  },
  job: (version: Version, text: string): readonly string[] => [
    ...unmet(version, jobNeeds, JSON.parse(text)),
    ...wrongTimes(version, text),
  ],
  retry: (version: Version, text: string): readonly string[] => [
    ...unmet(version, retryNeeds, JSON.parse(text)),
    ...wrongTimes(version, text),
  ],
};
