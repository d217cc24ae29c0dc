import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { logOptions, prettyOptions } from './log-format.js';
import { openThreadLog } from './thread-log.js';

describe('the log of a thread', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsq-thread-log-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const fields = {
    instance: 'web-3',
    stalledMs: 1_234.5,
    jobs: [{ class: 'A"B', jid: 'é' }],
    gone: undefined,
  };
  const message = 'the event loop has not turned';

  function written(format: 'json' | 'pretty', level: 'info' | 'error' = 'info'): string {
    const file = join(folder, 'log');
    const fd = openSync(file, 'w');
    expect(openThreadLog({ fd, level, format, colorize: false }).write('warn', fields, message)).toBe(true);
    closeSync(fd);
    return readFileSync(file, 'utf8');
  }

  /** What the main thread's logger makes of the same. */
  function expected(format: 'json' | 'pretty'): string {
    let text = '';
    const pretend = pretty.prettyFactory(prettyOptions(false));
    const write = (line: string) => {
      text += format === 'json' ? line : pretend(line);
    };
    pino(logOptions('info'), { write }).warn(fields, message);
    return text;
  }

  const withoutTime = (text: string) => text.replace(/"time":"[^"]+Z"|^\[\d\d:\d\d:\d\d\.\d\d\d\]/, 'TIME');

  test.each(['json', 'pretty'] as const)('writes %s lines as the main thread does', (format) => {
    const text = withoutTime(written(format));
    expect(text).toContain('TIME');
    expect(text).toBe(withoutTime(expected(format)));
  });

  test('keeps to the level of the log', () => {
    expect(written('json', 'error')).toBe('');
  });

  test('says when a line can not be written, and does not throw', () => {
    const fd = openSync('/dev/full', 'w');
    const log = openThreadLog({ fd, level: 'info', format: 'json', colorize: false });
    expect(log.write('warn', fields, message)).toBe(false);
    closeSync(fd);
  });
});
