/** The short form of `pnpm soak`: half a minute, both sides, every job accounted for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeWithRuby } from '@tsq/core/test-support';
import { repository } from '../workspace.js';

describeWithRuby('a soak', () => {
  test('of Ruby and tsq on the same queues loses no job and doubles none', async () => {
    const command = [join(repository, 'apps/bench/dist/soak/index.js'), '--minutes', '0.3', '--seed', '7'];
    const soak = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [soak.stdout, soak.stderr]) {
      stream.on('data', (text) => {
        output += String(text);
      });
    }
    await once(soak, 'close');
    expect({ output, code: soak.exitCode }).toEqual({
      output: expect.stringMatching(/every job is accounted for\n$/),
      code: 0,
    });
    // Both sides worked and acted; else the books would say nothing.
    for (const row of [
      'pushed by',
      'done by',
      'action retry',
      'action kill',
      'action delete',
      'action reschedule',
    ]) {
      expect(output).toMatch(new RegExp(`^${row} +[1-9][\\d/]* +[1-9]`, 'm'));
    }
  }, 240_000);
});
