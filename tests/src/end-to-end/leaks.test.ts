/** The short form of `pnpm leaks`: jobs, instances that come and go, processes that are killed, and nothing of them is left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { repository } from '../workspace.js';

test('L3: after 20,000 jobs and 30 restarts, three of them kills, no key of the namespace is left', async () => {
  const command = [join(repository, 'apps/bench/dist/leaks/index.js'), '--jobs', '20000', '--restarts', '30'];
  const leaks = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [leaks.stdout, leaks.stderr]) {
    stream.on('data', (text) => {
      output += String(text);
    });
  }
  await once(leaks, 'close');
  expect({ output, code: leaks.exitCode }).toEqual({
    output: expect.stringMatching(
      /^20,000 jobs, 27 instances .*, 3 processes killed with [1-9]\d* claims in hand.*\nkeys left in the namespace: 0\nnothing is left/,
    ),
    code: 0,
  });
}, 240_000);
