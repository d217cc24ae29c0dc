/**
 * A process for tests to kill, block and stop: a heartbeat and, when asked for, a recoverer. Settings come as JSON in the
 * first argument; it obeys words on stdin and says what happens, a JSON line for each, on stdout.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Worker } from 'node:worker_threads';
import { type Logger, silentLogger } from '@tsq/core';
import { Instance } from '@tsq/tracker';
import { Heartbeat } from '../heartbeat.js';
import { Recoverer } from '../recoverer.js';
import type { HeartbeatSettings, RecovererSettings } from '../settings.js';

export interface InstanceProcessSettings {
  readonly url: string;
  readonly heartbeat: Partial<HeartbeatSettings>;
  readonly recoverer?: Partial<RecovererSettings>;
}

export type Said = { readonly said: string } & Readonly<Record<string, unknown>>;

const settings = JSON.parse(process.argv[2] ?? '') as InstanceProcessSettings; // our own test wrote it
const say = (said: string, fields: object = {}) => writeSync(1, `${JSON.stringify({ said, ...fields })}\n`);
const logger: Logger = { ...silentLogger, error: (_fields, message) => say('error', { message }) };

const threads: Worker[] = [];
process.on('worker', (thread) => threads.push(thread));

const instance = new Instance('test');
const location = { url: settings.url };
const heartbeat = new Heartbeat({ location, instance, logger, ...settings.heartbeat });
const recoverer = settings.recoverer && new Recoverer({ location, instance, logger, ...settings.recoverer });
heartbeat.onBeat(() => say('beat', { id: instance.id }));
heartbeat.onLapse((fresh, lapsed) => say('lapse', { fresh, lapsed }));
heartbeat.onStall((stall) => say('stall', stall));
recoverer?.onRecovered((report) => say('recovered', report));

const obey: Readonly<Record<string, () => Promise<void> | void>> = {
  block: () => {
    const end = performance.now() + 3 * (settings.heartbeat.ttlMs ?? 0);
    let turns = 0;
    while (performance.now() < end) turns += 1; // busy, as a job that computes is
    say('unblocked', { turns });
  },
  'kill-thread': async () => {
    await threads.at(-1)?.terminate();
  },
  stop: async () => {
    await recoverer?.stop(AbortSignal.timeout(5_000));
    await heartbeat.stop(AbortSignal.timeout(5_000));
    say('stopped');
    lines.close();
    process.stdin.destroy();
  },
  // The main program comes to its end without a word to anybody.
  finish: () => {
    lines.close();
    process.stdin.destroy();
  },
};
const lines = createInterface({ input: process.stdin });
lines.on('line', (word) => void obey[word]?.());

await heartbeat.start();
await recoverer?.start();
say('started', { id: instance.id });
