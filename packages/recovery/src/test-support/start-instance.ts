/** Starts instance-process.ts, and listens to what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@tsq/core/test-support';
import type { InstanceId } from '@tsq/tracker';
import type { InstanceProcessSettings, Said } from './instance-process.js';

export class InstanceProcess {
  readonly said: Said[] = [];
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;

  private constructor(settings: InstanceProcessSettings) {
    const program = fileURLToPath(new URL('./instance-process.js', import.meta.url));
    this.child = spawn(process.execPath, [program, JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.gone = new Promise((resolve) => this.child.once('exit', () => resolve()));
    if (this.child.stdout === null) throw new Error('spawned without a pipe for stdout');
    createInterface({ input: this.child.stdout }).on('line', (line) => this.said.push(JSON.parse(line)));
  }

  static async start(settings: InstanceProcessSettings): Promise<InstanceProcess> {
    const started = new InstanceProcess(settings);
    await started.hear('started');
    return started;
  }

  /** The id that it started with. */
  get id(): InstanceId {
    return this.said.find(({ said }) => said === 'started')?.id as InstanceId;
  }

  /** Waits until it has said `word`, `times` times. */
  async hear(word: string, times = 1, withinMs?: number): Promise<Said> {
    return await eventually(() => {
      const heard = this.said.filter(({ said }) => said === word);
      const last = heard[times - 1];
      if (last === undefined) throw new Error(`heard "${word}" ${heard.length} times, waited for ${times}`);
      return last;
    }, withinMs);
  }

  count(word: string): number {
    return this.said.filter(({ said }) => said === word).length;
  }

  tell(word: string): void {
    this.child.stdin?.write(`${word}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves when the process has ended, with its exit code; null when a signal ended it. */
  async ended(): Promise<number | null> {
    await this.gone;
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }
}
