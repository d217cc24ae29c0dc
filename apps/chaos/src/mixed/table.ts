/** A mixed run's result for people, and for programs. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RecoveryTime } from '../checker/report.js';
import type { MixedResult } from './mixed-run.js';

/** As one object: what `--json` prints. */
export function summaryOf(result: MixedResult) {
  const { report, faults, seed, minutes, processes, startedProcesses, hasRuby, redisVersion } = result;
  const count = (kind: string) => report.faults[kind] ?? 0;
  const broken = (rule: string) => report.violations.filter((each) => each.rule === rule).length;
  return {
    ...{ seed, minutes, commit: commit(), node: process.version, redis: redisVersion },
    producers: hasRuby ? 'TypeScript and Ruby' : 'TypeScript',
    ...{ processes, startedProcesses },
    jobs: report.jobs,
    tracked: report.tracked,
    unacknowledged: report.unacknowledged,
    done: report.done,
    dead: report.dead,
    kills: count('kill') + count('exit'),
    stops: count('stop'),
    faults: byName(faults.map(({ name }) => name)),
    lost: broken('lost'),
    lostUntracked: report.lostUntracked,
    lostWithTail: report.lostWithTail,
    duplicated: { ...report.duplicates, unexplained: broken('duplicated') },
    overlaps: { explained: report.overlaps, unexplained: broken('overlap') },
    twiceRecovered: broken('twice recovered'),
    falseDeaths: broken('false death'),
    refusedSettles: report.refusedSettles,
    recoveryMs: {
      killed: quantiles(report.recoveries.filter(({ path }) => path === 'death')),
      'killed, nothing else the matter': quantiles(
        report.recoveries.filter(({ path, isUndisturbed }) => path === 'death' && isUndisturbed),
      ),
      'found by its heartbeat': quantiles(report.recoveries.filter(({ path }) => path === 'ttl')),
    },
    bytesChanged: broken('bytes'),
    keysLeft: broken('leak'),
  };
}

export function tableOf(result: MixedResult): string {
  const lines = Object.entries(summaryOf(result)).map(([name, value]) => {
    const text = typeof value === 'object' ? entriesOf(value) : String(value);
    return `${name.padEnd(18)}${text}`;
  });
  const { violations } = result.report;
  const shown = violations.slice(0, 20).map(({ rule, subject, text }) => `${rule}: ${subject} ${text}`);
  return [...lines, ...shown, ...result.failures].join('\n');
}

function entriesOf(value: object): string {
  return Object.entries(value)
    .map(([name, inner]) =>
      typeof inner === 'object' ? `${name} (${entriesOf(inner)})` : `${name} ${inner}`,
    )
    .join(', ');
}

function byName(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function quantiles(times: readonly RecoveryTime[]) {
  const sorted = times.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

function commit(): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const { stdout, status } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}
