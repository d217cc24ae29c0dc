import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const core = new URL('./index.js', import.meta.url).href;

/** A process that comes to `settle.before` three times, and says so each time. */
function run(fault: string, ...flags: readonly string[]) {
  const code = `
    import { writeSync } from 'node:fs';
    import { faultPoint } from '${core}';
    for (const arrival of [1, 2, 3]) {
      faultPoint('settle.before');
      writeSync(1, String(arrival));
    }
  `;
  const { stdout, stderr, signal, status } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '--eval', code],
    {
      env: { ...process.env, TSQ_FAULT: fault },
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    },
  );
  return { stdout, stderr, signal, status };
}

const armed = '--conditions=tsq-faults';

test('what ships does nothing at a fault point, whatever the environment says', () => {
  expect(run('settle.before:kill')).toMatchObject({ stdout: '123', signal: null, status: 0 });
});

test('an armed process dies where it is told to, at the arrival that it is told, and says so first', () => {
  expect(run('settle.before:kill@2', armed)).toMatchObject({
    stdout: '1',
    signal: 'SIGKILL',
    stderr: expect.stringMatching(/^fault settle\.before:kill@2 in process \d+\n$/),
  });
});

test('an armed process throws, or sleeps and goes on', () => {
  expect(run('settle.before:throw', armed)).toMatchObject({ stdout: '', status: 1 });
  const begin = performance.now();
  expect(run('settle.before:sleep(300),claim.before:kill', armed)).toMatchObject({
    stdout: '123',
    status: 0,
  });
  expect(performance.now() - begin).toBeGreaterThan(300);
});

test('a fault that is misspelt does not pass for one that never fires', () => {
  expect(run('setle.before:kill', armed)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('settle.before'),
  });
  expect(run('settle.before:kil', armed).status).toBe(1);
});
