/**
 * The one place of the command that touches `process.env`: what a variable decides must show where it is read, and a
 * process that the command starts gets no setting that was meant for another.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export function currentEnvironment(): Environment {
  return process.env;
}

/** Of others, but read by tsq-worker: they would change how a drill's workers run. */
const settingsOfOthers = new Set([
  'APP_ENV',
  'DYNO',
  'NODE_ENV',
  'RACK_ENV',
  'RAILS_ENV',
  'RAILS_MAX_THREADS',
  'REDIS_PROVIDER',
  'REDIS_URL',
]);

/** The environment without all that tsq-worker takes for a setting; the rest (PATH, certificates, proxies) stays. */
export function withoutSettings(environment: Environment): Environment {
  const kept = Object.entries(environment).filter(
    ([name]) => !name.startsWith('TSQ_') && !settingsOfOthers.has(name),
  );
  return Object.fromEntries(kept);
}

/** Set for a drill's workers only. */
export const journalVariable = 'TSQ_CLI_DRILL_JOURNAL';

/** Where the jobs of a drill write what they do. */
export function journalPath(): string {
  return process.env[journalVariable] ?? '/dev/null';
}
