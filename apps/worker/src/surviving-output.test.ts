import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SurvivingOutput } from './surviving-output.js';

describe('an output', () => {
  test('writes all lines in their order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsq-output-'));
    const fd = openSync(join(folder, 'log'), 'w');
    const output = new SurvivingOutput({ fd });
    const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index} é\n`);
    for (const line of lines) output.write(line);
    await output.drained(5_000);
    closeSync(fd);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe(lines.join(''));
    expect(output.dropped).toBe(0);
    rmSync(folder, { recursive: true });
  });

  test('drops and counts lines beyond its backlog', async () => {
    const fd = openSync('/dev/null', 'w');
    const output = new SurvivingOutput({ fd, longestBacklog: 10 });
    for (let line = 0; line < 5; line += 1) output.write('12345\n'); // the first is in flight, the second waits
    expect(output.dropped).toBe(3);
    await output.drained(5_000);
    output.write('12345\n');
    await output.drained(5_000);
    closeSync(fd);
    expect(output.dropped).toBe(3);
  });

  test('says once that its disk is full, counts, and says when there is room again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsq-output-'));
    const said: string[] = [];
    const fd = openSync('/dev/full', 'w');
    const output = new SurvivingOutput({
      fd,
      onTrouble: (message) => said.push(message),
      onTroubleOver: () => said.push('over'),
    });
    const writeThree = async () => {
      for (let line = 0; line < 3; line += 1) {
        output.write('x\n');
        await output.drained(5_000);
      }
    };
    await writeThree();
    expect([output.dropped, said]).toEqual([3, [expect.stringMatching(/^ENOSPC/)]]);
    closeSync(fd);
    expect(openSync(join(folder, 'log'), 'w')).toBe(fd); // the same descriptor, on a disk with room
    await writeThree();
    closeSync(fd);
    expect([output.dropped, said.slice(1)]).toEqual([3, ['over']]);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('x\nx\nx\n');
    rmSync(folder, { recursive: true });
  });

  test('outlives its reader: says so once, drops and counts', async () => {
    const module = new URL('./surviving-output.js', import.meta.url).href;
    // In a process of its own: its stdout is a real pipe, whose reader goes away.
    const program = `
      const { SurvivingOutput } = await import(${JSON.stringify(module)});
      const output = new SurvivingOutput({ fd: 1, onGone: () => process.stderr.write('gone ') });
      process.on('SIGUSR2', async () => {
        for (let round = 0; round < 3; round += 1) { output.write('x'); await output.drained(1000); }
        process.stderr.write('dropped ' + output.dropped, () => process.exit(0));
      });
      setInterval(() => undefined, 1000);
      output.write('ready\\n');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    await once(child.stdout, 'close');
    child.kill('SIGUSR2');
    const [code] = await once(child, 'close');
    expect([code, stderr]).toEqual([0, 'gone dropped 3']);
  });
});
