/**
 * The command's log for the heartbeat's thread: the same lines as log.ts writes, written at once and by the thread itself,
 * while a job keeps the main thread busy. The thread loads this module; what it is given is plain data.
 */
import { writeSync } from 'node:fs';
import type { ThreadLog, ThreadLogSource } from '@tsq/recovery';
import pretty from 'pino-pretty';
import { errorCodeOf } from './error-code.js';
import { prettyOptions } from './log-format.js';

interface Options {
  readonly fd: number;
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly colorize: boolean;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A pipe whose reader is slow is tried again, for so long all in all. */
const retryMs = 20;
const retries = 50;

export function threadLogSource(options: Options): ThreadLogSource {
  return { module: import.meta.url, options };
}

/** What the thread calls. */
export function openThreadLog({ fd, level: least, format, colorize }: Options): ThreadLog {
  const pretend = format === 'pretty' ? pretty.prettyFactory(prettyOptions(colorize)) : undefined;
  return {
    write(level, fields, message) {
      if (levels.indexOf(level) < levels.indexOf(least)) return true;
      const line = { level, time: new Date().toISOString(), pid: process.pid, ...fields, msg: message };
      return written(fd, pretend?.(line) ?? `${JSON.stringify(line)}\n`);
    },
  };
}

/** false: nobody reads, or the disk is full. */
function written(fd: number, text: string): boolean {
  let rest = Buffer.from(text);
  for (let attempt = 0; attempt < retries; attempt += 1) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
      if (rest.length === 0) return true;
    } catch (error) {
      if (errorCodeOf(error) !== 'EAGAIN') return false;
      Atomics.wait(sleeping, 0, 0, retryMs); // this thread has nothing else to do but to beat
    }
  }
  return false;
}

const sleeping = new Int32Array(new SharedArrayBuffer(4));
