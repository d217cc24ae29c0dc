/** One real `tsq-worker` process of a stage. What is done to it is written down; it is stopped by its own pid. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TcpProxy } from '@tsq/core/test-support/outside-jest';
import type { HistoryWriter } from '../history/history-writer.js';

export type Ending = number | NodeJS.Signals;

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface WorkerParts {
  readonly child: ChildProcess;
  readonly logFile: string;
  readonly history: HistoryWriter;
  readonly proxy: TcpProxy | undefined;
  /** Where it shall hurt itself. */
  readonly fault: string | undefined;
}

export class WorkerProcess {
  /** Signals of ours that end it without a word. */
  private isDoomed = false;

  constructor(private readonly parts: WorkerParts) {
    // One that a fault point killed, or a job, or itself.
    parts.child.once('exit', (code, signal) => {
      if (!this.isDoomed) this.note('exit', String(signal ?? code));
    });
  }

  /** 0 when it could not be started. With a wrapper that does not exec, the wrapper's: see `workerPid`. */
  get pid(): number {
    return this.parts.child.pid ?? 0;
  }

  /** The proxy that it speaks through, when it has one. */
  get proxy(): TcpProxy | undefined {
    return this.parts.proxy;
  }

  /** It is told to hurt itself, whether it has or not. */
  get isArmed(): boolean {
    return this.parts.fault !== undefined;
  }

  /** All that it wrote to stdout and stderr. */
  get log(): string {
    return readFileSync(this.parts.logFile, 'utf8');
  }

  /** Its log's JSON lines. */
  get logLines(): readonly LogLine[] {
    const lines = this.log.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as LogLine);
  }

  /** Lines whose message contains `text`. */
  logged(text: string): readonly LogLine[] {
    return this.logLines.filter(({ msg }) => typeof msg === 'string' && msg.includes(text));
  }

  /** Its exit code or the signal that ended it; undefined while it runs. */
  get ending(): Ending | undefined {
    return this.parts.child.exitCode ?? this.parts.child.signalCode ?? undefined;
  }

  get isRunning(): boolean {
    return this.ending === undefined;
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.isDoomed = true;
    this.note('kill');
    await this.endBy('SIGKILL');
  }

  /** Asks it to stop; a second call asks it to stop at once. */
  terminate(): void {
    if (!this.isRunning) return;
    this.note('term');
    this.parts.child.kill('SIGTERM');
  }

  /** In good order. */
  async stop(): Promise<Ending | undefined> {
    if (!this.isRunning) return this.ending;
    const gone = once(this.parts.child, 'exit');
    this.parts.child.kill('SIGCONT');
    this.terminate();
    await gone;
    return this.ending;
  }

  freeze(): void {
    this.note('stop');
    this.parts.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.parts.child.kill('SIGCONT');
    this.note('continue');
  }

  /** What the others are for: TSTP, TTIN. */
  signal(name: NodeJS.Signals): void {
    this.parts.child.kill(name);
  }

  /** Resolves when it has ended, by whatever. */
  async ended(): Promise<Ending> {
    if (this.ending === undefined) await once(this.parts.child, 'exit');
    return this.ending ?? 0;
  }

  private async endBy(signal: NodeJS.Signals): Promise<void> {
    const gone = once(this.parts.child, 'exit');
    this.parts.child.kill(signal);
    await gone;
  }

  private note(kind: 'kill' | 'stop' | 'continue' | 'term' | 'exit', text?: string): void {
    this.parts.history.note({ event: 'fault', kind, target: this.pid, text });
  }
}
