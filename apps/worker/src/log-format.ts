/** How a line looks, for all who write to the command's log: log.ts, and the heartbeat's thread (thread-log.ts). */
import { type LoggerOptions, pino } from 'pino';
import type { PrettyOptions } from 'pino-pretty';
import type { Config } from './config.js';

export type LogFormat = 'json' | 'pretty';

export function formatOf(
  { environment, log }: Pick<Config, 'environment' | 'log'>,
  terminal: boolean,
): LogFormat {
  if (log.format !== 'auto') return log.format;
  return terminal && environment !== 'production' ? 'pretty' : 'json';
}

export function logOptions(level: Config['log']['level']): LoggerOptions {
  return {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
}

export function prettyOptions(colorize: boolean): PrettyOptions {
  return { colorize, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid', singleLine: true };
}
