/** All that a history says about one job, line by line: what to read when the checker found something. */
import type { HistoryLine } from '../history/line.js';
import { type Lines, ownerOf } from './story.js';

export function traceOf(lines: Lines, jid: string): readonly string[] {
  const tokens = new Set(lines.flatMap((line) => tokensIn(line, jid)));
  const owners = new Set([...tokens].map(ownerOf));
  const calls = new Set<string>();
  const startedAt = lines[0]?.at ?? 0;
  return lines.flatMap((line) => {
    const shown = shownOf(line, jid, tokens, owners, calls);
    if (shown === undefined) return [];
    const { at, n: _count, pid, ...rest } = shown;
    return [`${((at - startedAt) / 1e6).toFixed(4)} ${pid} ${JSON.stringify(rest)}`];
  });
}

function tokensIn(line: HistoryLine, jid: string): readonly string[] {
  if (line.event === 'claim') return line.jobs.filter((job) => job.jid === jid).map(({ token }) => token);
  return 'jid' in line && line.jid === jid && 'token' in line ? [line.token] : [];
}

/** The line, without what it says about others; undefined when it says nothing else. */
function shownOf(
  line: HistoryLine,
  jid: string,
  tokens: ReadonlySet<string>,
  owners: ReadonlySet<string>,
  calls: Set<string>,
): HistoryLine | undefined {
  if (line.event === 'fault') return line;
  if (line.event === 'claim') {
    const jobs = line.jobs.filter((job) => job.jid === jid);
    return jobs.length > 0 ? { ...line, jobs } : undefined;
  }
  if (line.event === 'settle-sent') {
    const ends = line.ends.filter(({ token }) => tokens.has(token));
    if (ends.length > 0) calls.add(`${line.pid} ${line.call}`);
    return ends.length > 0 ? { ...line, ends } : undefined;
  }
  if (line.event === 'settle-answered' || line.event === 'settle-unknown')
    return calls.has(`${line.pid} ${line.call}`) ? line : undefined;
  if ('owner' in line) {
    const isNews = line.event !== 'recover-answered' || line.answer === 'dead';
    return owners.has(line.owner) && isNews ? line : undefined;
  }
  return 'jid' in line && line.jid === jid ? line : undefined;
}
