/** Hands the terminal to one program, passes signals on to it, and ends as it ended. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { SetUpError } from './command.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** npm passes on the Ctrl-C that the terminal has sent already: within this time it is one and the same. */
const sameSignalWithinMs = 500;

/** Resolves with the exit code; 128 + n when a signal ended it. */
export async function runInForeground(args) {
  return await runChild(args, { stdio: 'inherit' });
}

/** The same for a program that stops others in an order of its own: Ctrl-C reaches it alone, once, and not its children. */
export async function runInOwnGroup(args, env) {
  return await runChild(args, { stdio: ['ignore', 'inherit', 'inherit'], env, detached: true });
}

async function runChild(args, { env, ...options }) {
  const child = spawn(process.execPath, args, { ...options, env: { ...process.env, ...env } });
  const passedOnAt = new Map();
  const passOn = (signal) => {
    if (performance.now() - (passedOnAt.get(signal) ?? Number.NEGATIVE_INFINITY) < sameSignalWithinMs) return;
    passedOnAt.set(signal, performance.now());
    child.kill(signal);
  };
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
