/**
 * The workers: two processes of tsq and two of Ruby's Sidekiq, on the same queues. One that was quieted is stopped, by the API,
 * and another takes its place. None is killed: what Ruby loses then is known, and is not what is looked for here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ProcessSet } from '@tsq/core';
import type { Redis } from 'ioredis';
import { journalVariable, type Side } from './journal.js';

const sides: readonly Side[] = ['tsq', 'tsq', 'ruby', 'ruby'];
const place = ['-q', 'default', '-q', 'low', '-t', '20'];
/** Fewer for Ruby: its idle threads stand first in the line, and would leave nothing for tsq. */
const concurrency: Readonly<Record<Side, string>> = { tsq: '5', ruby: '2' };

const startsWithinMs = 30_000;

interface Member {
  readonly side: Side;
  readonly child: ChildProcess;
  readonly log: string;
}

export class Fleet {
  private members: Member[] = [];
  private started = 0;
  /** Of members that ended otherwise than in good order. */
  readonly failures: string[] = [];

  constructor(
    private readonly redisUrl: string,
    private readonly redis: Redis,
    private readonly folder: string,
    private readonly journal: string,
  ) {}

  start(): void {
    this.members = sides.map((side) => this.startOne(side));
  }

  /** How many processes were replaced can be seen from it. */
  get startedCount(): number {
    return this.started;
  }

  /** Until `end` fires: whoever is quiet is stopped, whoever has ended is replaced. */
  async tend(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      for await (const process of new ProcessSet(this.redis)) {
        if (process.isQuiet) await process.stop();
      }
      this.replaceEnded();
      await delay(500);
    }
    this.replaceEnded();
  }

  /** In good order, all at once: a process that has only just been started does not heed a signal yet. */
  async stop(): Promise<void> {
    await this.untilAllBeat();
    await Promise.all(this.members.map((member) => stopped(member)));
    for (const member of this.members) this.noteEnding(member);
    this.members = [];
  }

  private async untilAllBeat(): Promise<void> {
    const end = performance.now() + startsWithinMs;
    while (performance.now() < end) {
      const beating = new Set<number>();
      for await (const { pid } of new ProcessSet(this.redis)) beating.add(pid);
      if (this.members.every(({ child }) => !isRunning(child) || beating.has(child.pid ?? 0))) return;
      await delay(100);
    }
  }

  /** One that ended badly is a finding, and is not begun again. */
  private replaceEnded(): void {
    this.members = this.members.flatMap((member) => {
      if (isRunning(member.child)) return member;
      this.noteEnding(member);
      return member.child.exitCode === 0 ? this.startOne(member.side) : [];
    });
  }

  private noteEnding({ side, child, log }: Member): void {
    if (child.exitCode === 0) return;
    const end = readFileSync(log, 'utf8').slice(-2_000);
    this.failures.push(`a ${side} process ended with ${child.exitCode ?? child.signalCode}:\n${end}`);
  }

  private startOne(side: Side): Member {
    this.started += 1;
    const log = join(this.folder, `${side}-${this.started}.log`);
    const output = openSync(log, 'a');
    const [program = '', ...args] = commandOf(side);
    const env = { ...process.env, REDIS_URL: this.redisUrl, [journalVariable]: this.journal };
    const child = spawn(program, args, { env, cwd: this.folder, stdio: ['ignore', output, output] });
    return { side, child, log };
  }
}

function commandOf(side: Side): readonly string[] {
  const slots = ['-c', concurrency[side], ...place];
  if (side === 'ruby') return ['sidekiq', '-r', pathOf('../../ruby/soak/workers.rb'), ...slots];
  const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
  const quick = ['--poll-average', '1', '--beat-interval', '2', '--no-job-logging'];
  return [process.execPath, bin, '-r', pathOf('./workers.js'), ...slots, ...quick];
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function stopped({ child }: Member): Promise<void> {
  if (!isRunning(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
