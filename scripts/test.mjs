/**
 * `npm test`: everything the tests need, then the tests. What follows `--` goes to jest: `npm test -- packages/core`,
 * `npm test -- packages/core/src/payload.test.ts -t "1.0"`.
 */
import { requireNode } from './set-up/node-version.mjs';

requireNode(20);
const { step } = await import('./set-up/step.mjs');
const { prepareWorkspace } = await import('./set-up/workspace.mjs');
const { requireRedisServer } = await import('./set-up/redis.mjs');
const { provideRubySidekiq } = await import('./set-up/ruby.mjs');
const { provideFaketime } = await import('./set-up/faketime.mjs');
const { exitWith, runInForeground } = await import('./set-up/program.mjs');
const { root } = await import('./set-up/command.mjs');

// Jest runs on what was built, people name what they wrote.
const built = (argument) =>
  argument.replace(/(^|\/)src(\/|$)/, '$1dist$2').replace(/\.test\.ts$/, '.test.js');

await exitWith(async () => {
  await prepareWorkspace();
  await step('Redis', requireRedisServer);
  await step('Ruby', provideRubySidekiq);
  await step('Wrong clocks', provideFaketime);
  process.chdir(root);
  const jest = [
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  return await runInForeground([...jest, ...process.argv.slice(2).map(built)]);
});
