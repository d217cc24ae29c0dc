/** Runs other programs quietly: what they print is kept, and shown only when they fail. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Its message is for a person, whole as it is: no stack is shown with it. */
export class SetUpError extends Error {}

/** Where `name` is on PATH, or undefined. */
export function onPath(name) {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false; // absent or not to be run: the next folder may have it
    }
  });
}

/** Resolves with the exit code and all that was printed; 127 when the program is not there. */
export async function outcomeOf(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = [];
  child.stdout.on('data', (chunk) => printed.push(chunk));
  child.stderr.on('data', (chunk) => printed.push(chunk));
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      printed.push(Buffer.from(`${error.message}\n`));
      resolve(127);
    });
    child.once('close', (exitCode, signal) => resolve(exitCode ?? `signal ${signal}`));
  });
  return { code, output: Buffer.concat(printed).toString('utf8') };
}

/** Resolves with what was printed; throws a SetUpError with all of it when the exit code is not 0. */
export async function run(command, args, env = {}) {
  const { code, output } = await outcomeOf(command, args, env);
  if (code === 0) return output;
  throw new SetUpError(`${[command, ...args].join(' ')} failed (${code}):\n${output}`);
}
