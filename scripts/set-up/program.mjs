/** Hands the terminal to one program, passes signals on to it, and ends as it ended. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { SetUpError } from './command.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Resolves with the exit code; 128 + n when a signal ended it. */
export async function runInForeground(args, env = {}) {
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  // Ctrl-C reaches the child from the terminal too: here it must only not end us before the child has ended.
  const passOn = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } finally {
    for (const signal of signals) process.off(signal, passOn);
  }
}

/** Runs `main` and exits with its code; a SetUpError is shown as the sentence that it is. */
export async function exitWith(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof SetUpError ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}
