/** What a deploy did to each job, from the history: how often it began, ended, was told to stop, and was put back. */
import type { HistoryLine, RunEvent } from '../history/line.js';

type RunLine = HistoryLine & RunEvent;

export class DeployStory {
  private readonly runs = new Map<string, RunLine[]>();
  private readonly requeues = new Map<string, number>();

  constructor(lines: readonly HistoryLine[]) {
    for (const line of lines) {
      if (isRunLine(line)) this.runs.set(line.jid, [...this.runsOf(line.jid), line]);
      if (line.event !== 'settle-sent') continue;
      for (const { token, kind } of line.ends)
        if (kind === 'requeue') this.requeues.set(token, (this.requeues.get(token) ?? 0) + 1);
    }
  }

  /** Its time was over before it had ended. */
  wasTold(jid: string): boolean {
    return this.eventsOf(jid, 'abort').length > 0;
  }

  requeuesOf(jid: string): number {
    const tokens = new Set(this.runsOf(jid).map(({ token }) => token));
    return [...tokens].reduce((sum, token) => sum + (this.requeues.get(token) ?? 0), 0);
  }

  expectEndedOnce(jids: readonly string[]): void {
    const wrong = jids.filter((jid) => this.eventsOf(jid, 'end').length !== 1);
    if (wrong.length > 0) throw new Error(`of ${jids.length} jobs these were not done once: ${wrong}`);
  }

  /** One that does not heed its signal may come to its end in the moment between its requeue and the end of its process. */
  expectToldBeforeSecondEnd(jid: string): void {
    const told = new Set(this.eventsOf(jid, 'abort').map(({ token }) => token));
    const ends = this.eventsOf(jid, 'end');
    if (ends.length === 0 || ends.filter(({ token }) => !told.has(token)).length > 1)
      throw new Error(`${jid} was done ${ends.length} times`);
  }

  /** Started again only after it was put back, and only when the run before has ended or was told to stop. */
  expectInTurn(jid: string): void {
    const starts = this.eventsOf(jid, 'start');
    if (starts.length - 1 > this.requeuesOf(jid))
      throw new Error(`${jid} began ${starts.length} times, and was put back ${this.requeuesOf(jid)} times`);
    starts.slice(1).forEach((start, index) => {
      const before = starts[index]?.token;
      const isOver = this.runsOf(jid).some(
        ({ event, token, at }) => token === before && event !== 'start' && at < start.at,
      );
      if (!isOver)
        throw new Error(`${jid} began again while it ran as ${before}, which nobody had told to stop`);
    });
  }

  private eventsOf(jid: string, event: RunEvent['event']): readonly RunLine[] {
    return this.runsOf(jid).filter((line) => line.event === event);
  }

  private runsOf(jid: string): readonly RunLine[] {
    return this.runs.get(jid) ?? [];
  }
}

function isRunLine(line: HistoryLine): line is RunLine {
  return line.event === 'start' || line.event === 'end' || line.event === 'fail' || line.event === 'abort';
}
