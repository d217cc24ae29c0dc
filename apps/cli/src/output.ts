/**
 * What a command says: results on stdout, remarks on stderr. A reader that went away (`tsq … | head`) ends no command: what
 * it began must be cleaned up. What could not be written for another reason is told in the exit code.
 */
import type { Environment } from './environment.js';

export interface Output {
  /** A result: for people as text, or with --json one object. */
  print(text: string): void;
  /** A remark about the way: on stderr, so that it never mixes with a result. */
  remark(text: string): void;
  /** Colours for people; the text itself where nobody would see them. */
  readonly paint: Paint;
}

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
}

const plain: Paint = { good: (text) => text, bad: (text) => text, faint: (text) => text };
const colours: Paint = { good: inColour(32), bad: inColour(31), faint: inColour(2) };

export class ProcessOutput implements Output {
  readonly paint: Paint;
  private failure: Error | undefined;

  constructor(environment: Environment) {
    this.paint = wantsColours(environment) ? colours : plain;
    process.stdout.on('error', (error) => this.onError(error));
    // Where remarks can't be written there is nobody left to tell.
    process.stderr.on('error', () => undefined);
  }

  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  remark(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Resolves once all is written: with why a result is not complete, if it is not. */
  async close(): Promise<Error | undefined> {
    await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    return this.failure;
  }

  private onError(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') this.failure ??= error;
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}

/** https://no-color.org: any text in NO_COLOR means none. */
function wantsColours({ NO_COLOR, TERM }: Environment): boolean {
  return process.stdout.isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}

function inColour(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}
