/** The workers of the end-to-end tests; `tsq-worker -r` loads this file. */
import { setTimeout as delay } from 'node:timers/promises';
import { stringifyJson } from '@tsq/core';
import {
  arrayEnumerator,
  type ConfigureServer,
  currentJob,
  defineWorker,
  IterableWorker,
  Worker,
} from '@tsq/worker';
import { isGateOpen, note } from './journal.js';

/** Notes its args: as they stood in the payload, and as they are written again from what the handler got. */
@Worker({ name: 'Interop::Echo' })
export class Echo {
  async perform(..._args: unknown[]): Promise<void> {
    const { jid, args, payload } = currentJob();
    note('raw', jid, payload.raw('args')?.toString('utf8'));
    note('echo', jid, stringifyJson(args));
  }
}

@Worker({ name: 'Interop::Failing', retry: 1, backtrace: 3 })
export class Failing {
  async perform(reason: string): Promise<void> {
    note('fail', currentJob().jid);
    throw new RangeError(reason);
  }
}

@Worker({ name: 'Interop::Sleeping', tracked: true })
export class Sleeping {
  async perform(durationMs: number): Promise<void> {
    const { jid } = currentJob();
    note('start', jid);
    await delay(durationMs);
    note('end', jid);
  }
}

/** Runs until the test opens the gate, or, when it is told to, until its process takes no new jobs. */
@Worker({ name: 'Interop::Gated', tracked: true })
export class Gated {
  async perform(endsWhenQuiet: boolean): Promise<void> {
    const { jid, stopping } = currentJob();
    note('start', jid);
    while (!isGateOpen() && !(endsWhenQuiet && stopping.aborted)) await delay(20);
    note('end', jid);
  }
}

/** At-most-once from its start on. */
@Worker({ name: 'Interop::Untracked' })
export class Untracked {
  async perform(durationMs: number): Promise<void> {
    const { jid } = currentJob();
    note('start', jid);
    await delay(durationMs);
    note('end', jid);
  }
}

/** Heeds its signal: at the deadline of a stop it ends at once. */
@Worker({ name: 'Interop::Heeding', tracked: true })
export class Heeding {
  async perform(durationMs: number): Promise<void> {
    const { jid, signal } = currentJob();
    note('start', jid);
    signal.addEventListener('abort', () => note('abort', jid, String(signal.reason.code)));
    await delay(durationMs, undefined, { signal });
    note('end', jid);
  }
}

/** Never lets go of the event loop, from its first statement on: computing, or asleep. */
@Worker({ name: 'Interop::Blocking', tracked: true })
export class Blocking {
  perform(how: 'computing' | 'asleep', durationMs: number): void {
    const { jid } = currentJob();
    note('start', jid);
    const end = performance.now() + durationMs;
    if (how === 'asleep') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
    while (performance.now() < end) Math.hypot(end, durationMs);
    note('end', jid);
  }
}

/** Keeps all that it makes, some 100 MB in a few seconds. */
@Worker({ name: 'Interop::Greedy', tracked: true })
export class Greedy {
  async perform(): Promise<void> {
    const kept: unknown[] = [];
    note('start', currentJob().jid);
    for (;;) {
      kept.push(Array.from({ length: 15_000 }, (_, index) => ({ index })));
      await delay(50);
    }
  }
}

/** Kills its process, as one does that runs out of memory. */
@Worker({ name: 'Interop::Poison', tracked: true })
export class Poison {
  async perform(): Promise<void> {
    note('start', currentJob().jid);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined); // the signal needs a moment
  }
}

export const configureServer: ConfigureServer = (server) => {
  server.onPoison.push(({ jid, fate, error }) => note('poison', jid ?? '', `${fate} ${error.message}`));
  for (const name of [
    'instance-lapsed',
    'instance-dead',
    'orphans-recovered',
    'claim-lost',
    'stall',
  ] as const) {
    server.events.on(name, (event) => note(name, '', JSON.stringify(event)));
  }
};

const timeout = 0.3;

/** Heeds the signal of its timeout. */
@Worker({ name: 'Interop::HeedingTimeout', timeout })
export class HeedingTimeout {
  async perform(durationMs: number): Promise<void> {
    const { jid, signal } = currentJob();
    await delay(durationMs, undefined, { signal });
    note('end', jid);
  }
}

/** Does not look at its signal, and returns as if nothing were: too late. */
@Worker({ name: 'Interop::IgnoringTimeout', timeout })
export class IgnoringTimeout {
  async perform(durationMs: number): Promise<void> {
    await delay(durationMs);
    note('end', currentJob().jid);
  }
}

/** Walks to a number, and takes its time for each step. */
@Worker({ name: 'Interop::Walk', tracked: true })
export class Walk extends IterableWorker<[steps: number, stepMs: number], number, number> {
  override enumerator([steps]: [steps: number, stepMs: number], cursor: number | undefined) {
    note('from', this.job.jid, String(cursor ?? 'start'));
    return arrayEnumerator(
      Array.from({ length: steps }, (_, index) => index),
      cursor,
    );
  }

  override async eachIteration(step: number, _steps: number, stepMs: number): Promise<void> {
    await delay(stepMs);
    note('step', this.job.jid, String(step));
  }

  override onCancel(): void {
    note('cancelled', this.job.jid);
  }

  override onComplete(): void {
    note('end', this.job.jid);
  }
}

export const typed = defineWorker('Interop::Typed', async (id: number, name: string) => {
  note('typed', currentJob().jid, `${id} ${name}`);
});
