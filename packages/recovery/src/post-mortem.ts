/**
 * What can be said of the end of an instance, from its last note: one sentence for each job that it held and that is back. The
 * times are Redis', both that of the last beat and that of the death, so no host's clock is believed (S6).
 */
import type { InstanceId } from '@tsq/tracker';
import type { HeldJob } from './held-jobs.js';
import { isNearHeapLimit, isNearLimit } from './memory-alarm.js';
import type { DeathRule } from './orphan-recovery.js';
import type { RecoveryStep } from './recover.js';
import type { Vitals } from './vitals.js';

/** `memory`: at its last beat it was near the limit of its cgroup or machine. `heap`: near that of V8. */
export type LikelyCause = 'memory' | 'heap' | 'unknown';

export interface PostMortem {
  /** When the death was found; of one without a heartbeat it was up to a TTL before. */
  readonly diedAtSeconds: number;
  readonly lastBeatAtSeconds: number;
  /** How long its process had run at the last beat. */
  readonly uptimeMs: number;
  readonly rssBytes: number;
  readonly memoryLimitBytes: number;
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
  readonly lagMs: number;
  readonly stalledMs: number;
  readonly jobsInFlight: number;
  readonly likelyCause: LikelyCause;
  /** All this in words, without the jobs. */
  readonly how: string;
  /** Those that are back on their queue; at most 50, and none with a payload of more than 64 KB. */
  readonly jobs: readonly PutBackJob[];
}

export interface PutBackJob {
  readonly class: string;
  readonly jid: string;
  /** From its start to the death; undefined: it was not yet running at the last beat. */
  readonly ranMs: number | undefined;
  /** How the instance died, and what it was running: for the log and for people. */
  readonly sentence: string;
}

export interface Death {
  readonly instance: InstanceId;
  readonly rule: DeathRule;
  readonly atSeconds: number;
}

interface BackJob extends HeldJob {
  readonly member: string;
}

/** @param back those that went back */
function postMortemOf(death: Death, vitals: Vitals, back: readonly BackJob[]): PostMortem {
  const { beatAtSeconds: lastBeatAtSeconds, jobs: noted, ...rest } = vitals;
  const { instance, atSeconds: diedAtSeconds } = death;
  const sinceBeatMs = Math.max(0, Math.round((diedAtSeconds - lastBeatAtSeconds) * 1_000));
  const how = howItDied(death, vitals, sinceBeatMs);
  const running = new Map(noted.map(({ claim, runningMs }) => [`${instance}.${claim}`, runningMs]));
  const jobs = back.map(({ member, class: name, jid }): PutBackJob => {
    const runningMs = running.get(member.slice(0, member.indexOf('@')));
    const ranMs = runningMs === undefined ? undefined : runningMs + sinceBeatMs;
    const job = jid === '' ? name : `${name} ${jid}`;
    const what =
      ranMs === undefined
        ? `held ${job}, which was not yet running at its last beat`
        : `was running ${job} for ${inWords(ranMs)}`;
    return { class: name, jid, ranMs, sentence: `${how}; ${what}` };
  });
  return { diedAtSeconds, lastBeatAtSeconds, ...rest, likelyCause: causeOf(vitals), how, jobs };
}

function howItDied(death: Death, vitals: Vitals, sinceBeatMs: number): string {
  const { instance, rule, atSeconds } = death;
  const clock = new Date(atSeconds * 1_000).toISOString().slice(11, 19);
  // A process that is gone was seen to go; of a heartbeat that ran out only the end is known.
  const died = rule === 'connections' ? `died at ${clock} UTC` : `was found dead at ${clock} UTC`;
  const { rssBytes, memoryLimitBytes, stalledMs } = vitals;
  const memory = `${sizeOf(rssBytes, memoryLimitBytes)}${causeInWords(vitals)}`;
  const stall = stalledMs > 0 ? `, its event loop had not turned for ${inWords(stalledMs)}` : '';
  return `instance ${instance} ${died}, last beat ${inWords(sinceBeatMs)} before, ${memory}${stall}`;
}

function causeOf({ rssBytes, memoryLimitBytes, heapBytes, heapLimitBytes }: Vitals): LikelyCause {
  if (isNearLimit(rssBytes, memoryLimitBytes)) return 'memory';
  return isNearHeapLimit(heapBytes, heapLimitBytes) ? 'heap' : 'unknown';
}

function causeInWords(vitals: Vitals): string {
  const cause = causeOf(vitals);
  if (cause === 'memory') return ': probably out of memory';
  const { heapBytes, heapLimitBytes } = vitals;
  return cause === 'heap' ? `, ${sizeOf(heapBytes, heapLimitBytes)} of its heap: probably out of memory` : '';
}

/** `1.9 of 2.0 GiB`, in the unit of the limit. */
function sizeOf(used: number, limit: number): string {
  const isBig = limit >= 2 ** 30;
  const [unit, bytes] = isBig ? (['GiB', 2 ** 30] as const) : (['MiB', 2 ** 20] as const);
  const amount = (size: number) => (size / bytes).toFixed(isBig ? 1 : 0);
  return `${amount(used)} of ${amount(limit)} ${unit}`;
}

/** `3 s`, `4 min`, `2.5 h`. */
function inWords(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

/** From what an instance of the fleet has noted; undefined: nothing, or nothing that this version understands. */
export function readPostMortem(given: unknown): PostMortem | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { how, jobs } = given as Partial<PostMortem>;
  // Written by our own kind; what is shown of it to people must be there.
  return typeof how === 'string' && Array.isArray(jobs) ? (given as PostMortem) : undefined;
}

/** Follows the recovery of one dead instance, whose jobs go back in several steps. */
export class Inquest {
  private readonly back: string[] = [];
  private death: Death | undefined;

  /**
   * @param held what it held before the first step, as far as it can be named
   * @param vitals as they were then: the last step takes them along
   */
  constructor(
    private readonly instance: InstanceId,
    readonly rule: DeathRule,
    private readonly held: ReadonlyMap<string, HeldJob>,
    private readonly vitals: Vitals | undefined,
  ) {}

  hear({ atSeconds, putBack }: RecoveryStep): void {
    this.death ??= { instance: this.instance, rule: this.rule, atSeconds };
    for (const member of putBack) if (this.held.has(member)) this.back.push(member);
  }

  /** undefined: it left no note, as one that has stopped by itself, or of another make. */
  get finding(): PostMortem | undefined {
    const { death, vitals, back, held } = this;
    if (death === undefined || vitals === undefined) return undefined;
    return postMortemOf(
      death,
      vitals,
      back.map((member) => ({ class: '', jid: '', ...held.get(member), member })),
    );
  }
}
