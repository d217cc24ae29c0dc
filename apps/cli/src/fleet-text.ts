/** A fleet as recovery sees it, for people. */
import type { FleetReport, InstanceReport } from '@tsq/recovery';
import type { Paint } from './output.js';

export function fleetText(fleet: FleetReport, namespace: string, paint: Paint): string {
  return [
    ...instanceLines(fleet, namespace, paint),
    '',
    passLine(fleet, paint),
    ...recoveryLines(fleet),
  ].join('\n');
}

const titles = ['INSTANCE', 'STATE', 'LAST BEAT', 'JOBS', 'CONNECTIONS'];

function instanceLines({ instances }: FleetReport, namespace: string, paint: Paint): readonly string[] {
  if (instances.length === 0) {
    return [
      `No instance is registered in the namespace ${namespace}: no worker runs, or it runs on another Redis.`,
    ];
  }
  const rows = [titles, ...instances.map(cellsOf)];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [head = '', ...lines] = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('   ')
      .trimEnd(),
  );
  const painted = lines.map((line, at) => (instances[at]?.liveness === 'alive' ? line : paint.bad(line)));
  return [paint.faint(head), ...painted];
}

function cellsOf(instance: InstanceReport): readonly string[] {
  const { id, beatAgeMs, jobs, connections } = instance;
  return [
    id,
    stateOf(instance),
    beatAgeMs === undefined ? 'run out' : `${seconds(beatAgeMs)} ago`,
    jobs === undefined ? 'unreadable' : String(jobs),
    connections === undefined ? 'not told' : String(connections),
  ];
}

function stateOf({ liveness, rule, graceLeftMs }: InstanceReport): string {
  if (liveness === 'dead') return rule === undefined ? 'dead' : `dead (${rule})`;
  return graceLeftMs > 0 ? `${liveness}, has ${seconds(graceLeftMs)} to come back` : liveness;
}

function passLine({ lastPass, nextPassWithinMs, atSeconds }: FleetReport, paint: Paint): string {
  if (lastPass === undefined)
    return paint.bad('Nobody has looked for dead instances of late: no worker recovers anything.');
  const agoMs = Math.max(0, (atSeconds - lastPass.atSeconds) * 1_000);
  return `Looked for dead instances ${seconds(agoMs)} ago (${lastPass.by}); again within ${seconds(nextPassWithinMs ?? 0)}.`;
}

function recoveryLines({ recoveries }: FleetReport): readonly string[] {
  if (recoveries.length === 0) return ['Nothing was recovered within 72 hours.'];
  const lines = recoveries.map(({ atSeconds, instance, rule, recovered, poison }) => {
    const buried = poison === 0 ? '' : `, ${poison} poison`;
    return `  ${new Date(atSeconds * 1_000).toISOString().slice(0, 19)}Z   ${instance}   ${jobs(recovered)} put back${buried} (${rule})`;
  });
  return ['Recovered within 72 hours, the newest first:', ...lines];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function jobs(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}
