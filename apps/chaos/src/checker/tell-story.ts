/** From the lines of a history to its story. Lines come in the order of time; a process may have been killed between any two. */
import type { HistoryLine } from '../history/line.js';
import {
  type Fault,
  type JobStory,
  jobOf,
  type Lines,
  ownerOf,
  type Recovery,
  type Story,
  type TokenEnd,
} from './story.js';

type Of<Event extends HistoryLine['event']> = Extract<HistoryLine, { event: Event }>;

export function tellStory(lines: Lines): Story {
  const teller = new Teller();
  for (const line of lines) teller.hear(line);
  return teller.story(lines.at(-1)?.at ?? 0);
}

class Teller {
  private readonly jobs = new Map<string, JobStory>();
  private readonly ends = new Map<string, TokenEnd[]>();
  private readonly calls = new Map<string, TokenEnd[]>();
  private readonly recoveries: Recovery[] = [];
  private readonly pending = new Map<string, Recovery>();
  private readonly faults: Fault[] = [];
  private readonly buried = new Set<string>();
  private readonly retired = new Map<string, number>();
  private refused = 0;
  private readonly lastLineAt = new Map<number, number>();
  private readonly pids = new Map<string, number>();
  private readonly registeredAt = new Map<number, number>();

  hear(line: HistoryLine): void {
    this.lastLineAt.set(line.pid, line.at);
    if (line.event === 'enq') this.enqueued(line);
    else if (line.event === 'claim') this.claimed(line);
    else if (line.event === 'start') this.started(line);
    else if (line.event === 'end' || line.event === 'fail' || line.event === 'abort') this.ran(line);
    else if (line.event === 'settle-sent') this.settleSent(line);
    else if (line.event === 'settle-answered') this.settleAnswered(line);
    else if (line.event === 'recover-sent') this.recoverSent(line);
    else if (line.event === 'recover-answered') this.recoverAnswered(line);
    else if (line.event === 'registered') this.registered(line);
    else if (line.event === 'buried') this.buried.add(line.token);
    else if (line.event === 'retired') this.retired.set(line.owner, line.at);
    else if (line.event === 'fault') this.faulted(line);
  }

  story(endsAt: number): Story {
    const { jobs, ends, recoveries, faults, buried, retired, refused, pids } = this;
    const { lastLineAt, registeredAt } = this;
    return {
      jobs,
      ends,
      recoveries,
      faults,
      buried,
      retired,
      refused,
      pids,
      lastLineAt,
      registeredAt,
      endsAt,
    };
  }

  private registered({ owner, pid, at }: Of<'registered' | 'lapsed' | 'retired'>): void {
    this.pids.set(owner, pid);
    if (!this.registeredAt.has(pid)) this.registeredAt.set(pid, at);
  }

  private enqueued({ jid, outcome, tracked, args, sentAt, at }: Of<'enq'>): void {
    const job = jobOf(this.jobs, jid);
    job.enqueued += 1;
    job.isTracked = tracked;
    job.isAcknowledged ||= outcome === 'acknowledged';
    job.enqueuedAt = at;
    job.enqueueSentAt = sentAt;
    job.args = args;
  }

  private claimed({ owner, jobs, sentAt, at, pid }: Of<'claim'>): void {
    this.pids.set(owner, pid);
    for (const { token, jid, hash, args } of jobs) {
      if (jid === undefined) continue;
      jobOf(this.jobs, jid).claims.push({ token, owner, sentAt, at, pid, hash, args, isAdopted: false });
    }
  }

  private started({ jid, token, at, pid }: Of<'start'>): void {
    const job = jobOf(this.jobs, jid);
    if (!job.claims.some((claim) => claim.token === token)) {
      const unseen = { hash: undefined, args: undefined, isAdopted: true };
      job.claims.push({ token, owner: ownerOf(token), sentAt: at, at, pid, ...unseen });
    }
    job.runs.push({ token, pid, startAt: at, endAt: undefined, how: undefined, abortAt: undefined });
  }

  private ran({ event, jid, token, pid, at }: Of<'end' | 'fail' | 'abort'>): void {
    const run = jobOf(this.jobs, jid).runs.findLast((each) => each.token === token && each.pid === pid);
    if (run === undefined) return;
    if (event === 'abort') {
      run.abortAt ??= at;
      return;
    }
    run.endAt = at;
    run.how = event;
  }

  private settleSent({ call, pid, ends, at }: Of<'settle-sent'>): void {
    const sent = ends.map(({ token, kind }): TokenEnd => {
      const end: TokenEnd = { token, kind, sentAt: at, answer: 'unknown' };
      const known = this.ends.get(token);
      if (known === undefined) this.ends.set(token, [end]);
      else known.push(end);
      return end;
    });
    this.calls.set(`${pid} ${call}`, sent);
  }

  private settleAnswered({ call, pid, registered, notHeld, blocked }: Of<'settle-answered'>): void {
    const sent = this.calls.get(`${pid} ${call}`) ?? [];
    sent.forEach((end, position) => {
      if (blocked.includes(position)) end.answer = 'refused';
      else if (!notHeld.includes(position)) end.answer = 'accepted';
      // Of one that is registered still, an end that was sent before has been executed after all.
      else end.answer = registered && this.wasSentBefore(end) ? 'accepted' : 'refused';
      if (end.answer === 'refused' && !registered) this.refused += 1;
    });
  }

  private wasSentBefore(end: TokenEnd): boolean {
    return (this.ends.get(end.token) ?? []).some((each) => each.sentAt < end.sentAt);
  }

  private recoverSent({ owner, call, pid, at }: Of<'recover-sent'>): void {
    const recovery: Recovery = {
      ...{ owner, sentAt: at, answeredAt: undefined, answer: undefined, declared: false, by: pid },
      ...{ putBack: 0, left: 0 },
    };
    this.recoveries.push(recovery);
    this.pending.set(`${pid} ${call}`, recovery);
  }

  private recoverAnswered({ call, pid, at, answer, declared, putBack, left }: Of<'recover-answered'>): void {
    const recovery = this.pending.get(`${pid} ${call}`);
    if (recovery !== undefined)
      Object.assign(recovery, {
        answeredAt: at,
        answer,
        declared,
        putBack,
        left,
      } satisfies Partial<Recovery>);
  }

  private faulted({ kind, target, since, text, at }: Of<'fault'>): void {
    this.faults.push({ kind, at, target, since, text });
  }
}
