/** Hands the terminal to one program, passes signals on to it, and ends as it ended. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { SetUpError } from './command.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** npm passes on the Ctrl-C that the terminal has sent already: within this time it is one and the same. */
const sameSignalWithinMs = 500;

const groupEndsWithinMs = 15_000;

/** Resolves with the exit code; 128 + n when a signal ended it. */
export async function runInForeground(args) {
  return await runChild(args, { stdio: 'inherit' });
}

/**
 * The same for a program that stops others in an order of its own: Ctrl-C reaches it alone, once, and not its children.
 * What it leaves behind when it is cut short ends with it.
 */
export async function runInOwnGroup(args, env) {
  let group;
  try {
    return await runChild(args, { stdio: ['ignore', 'inherit', 'inherit'], env, detached: true }, (pid) => {
      group = pid;
    });
  } finally {
    if (group !== undefined) await endGroup(group);
  }
}

/** TERM to all of the group that still live, and KILL to those that take too long. */
async function endGroup(group) {
  const end = performance.now() + groupEndsWithinMs;
  let signal = 'SIGTERM';
  while (signalGroup(group, signal)) {
    signal = performance.now() < end ? 0 : 'SIGKILL'; // 0 only asks whether somebody is left
    await delay(50);
  }
}

/** Whether there was anybody to hear it. */
function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // EPERM: macOS' answer for a group of processes that have all ended.
    if (error.code === 'ESRCH' || error.code === 'EPERM') return false;
    throw error;
  }
}

async function runChild(args, { env, ...options }, onStart = () => undefined) {
  const child = spawn(process.execPath, args, { ...options, env: { ...process.env, ...env } });
  onStart(child.pid);
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
