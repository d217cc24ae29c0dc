/**
 * What a call of a script and its reply mean, by the headers of the .lua files. A script whose arguments or replies change is
 * changed here too: script-calls.test.ts holds this file to a real worker's calls.
 */
import { argsHashOf, hashOf, jidOf } from '../history/bytes-hash.js';
import type { CallEvent, SentEnd } from '../history/line.js';
import type { ObservedScript } from './script-names.js';

export interface ScriptCall {
  readonly script: ObservedScript;
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
  /** In microseconds of the monotonic clock. */
  readonly sentAt: number;
}

/** Each gives the events that are to be written. */
interface ScriptObserver {
  sent(call: ScriptCall, number: number): readonly CallEvent[];
  answered(call: ScriptCall, number: number, reply: unknown): readonly CallEvent[];
  failed(call: ScriptCall, number: number, error: string): readonly CallEvent[];
}

const nothing = (): readonly CallEvent[] => [];

const claim: ScriptObserver = {
  sent: nothing,
  answered({ args, sentAt }, _number, reply) {
    if (!Array.isArray(reply)) return []; // unregistered
    const owner = String(args[0]);
    const [batch, , , , ...taken] = reply as [number, unknown, unknown, unknown, ...[number, ...Buffer[]][]];
    const jobs = taken.flatMap(([position, ...payloads]) =>
      payloads.map((bytes) => ({ queue: String(args[4 + position]), bytes })),
    );
    if (jobs.length === 0) return [];
    return [
      {
        event: 'claim',
        owner,
        sentAt,
        jobs: jobs.map(({ queue, bytes }, index) => ({
          token: `${owner}.${batch}.${index}@${queue}`,
          jid: jidOf(bytes),
          hash: hashOf(bytes),
          args: argsHashOf(bytes),
        })),
      },
    ];
  },
  failed: nothing,
};

const settle: ScriptObserver = {
  sent: (call, number) => [{ event: 'settle-sent', call: number, ends: endsOf(call) }],
  answered(_call, number, reply) {
    const [registered, notHeld, blocked] = reply as [number, number[], number[]];
    return [{ event: 'settle-answered', call: number, registered: registered === 1, notHeld, blocked }];
  },
  failed: (_call, number, error) => [{ event: 'settle-unknown', call: number, error }],
};

const recover: ScriptObserver = {
  sent: ({ args }, number) => [{ event: 'recover-sent', call: number, owner: String(args[0]) }],
  answered({ args }, number, reply) {
    const owner = String(args[0]);
    if (!Array.isArray(reply)) {
      const alive = { answer: 'alive', declared: false, putBack: 0, left: 0 } as const;
      return [{ event: 'recover-answered', call: number, owner, ...alive }];
    }
    const [declared, putBack, , , left] = reply as [number, number, unknown, unknown, number];
    const dead = { answer: 'dead', declared: declared === 1, putBack, left } as const;
    return [{ event: 'recover-answered', call: number, owner, ...dead }];
  },
  failed: nothing,
};

const beat: ScriptObserver = {
  sent: nothing,
  answered({ args }, _number, reply) {
    const owner = String(args[0]);
    if (String(reply) === 'lapsed') return [{ event: 'lapsed', owner }];
    return String(args[2]) === 'register' ? [{ event: 'registered', owner }] : [];
  },
  failed: nothing,
};

const retire: ScriptObserver = {
  sent: nothing,
  answered: ({ args }) => [{ event: 'retired', owner: String(args[0]) }],
  failed: nothing,
};

const buryPoison: ScriptObserver = {
  sent: nothing,
  answered: ({ args }, _number, reply) =>
    String(reply) === 'buried' ? [{ event: 'buried', token: String(args[0]) }] : [],
  failed: nothing,
};

export const observers: Readonly<Record<ObservedScript, ScriptObserver>> = {
  ...{ claim, settle, beat, recover, retire },
  'bury-poison': buryPoison,
};

/** The runs first: queue, batch, first and last index; then five arguments for each of the others. */
function endsOf({ args }: ScriptCall): readonly SentEnd[] {
  const owner = String(args[0]);
  const behindRuns = 6 + 4 * Number(args[5]);
  const ends: SentEnd[] = [];
  for (let at = 6; at < behindRuns; at += 4) {
    const [queue, batch] = [String(args[at]), String(args[at + 1])];
    for (let index = Number(args[at + 2]); index <= Number(args[at + 3]); index += 1) {
      ends.push({ token: `${owner}.${batch}.${index}@${queue}`, kind: 'ended' });
    }
  }
  for (let at = behindRuns; at < args.length; at += 5) {
    ends.push({ token: String(args[at]), kind: String(args[at + 2]) as SentEnd['kind'] });
  }
  return ends;
}
