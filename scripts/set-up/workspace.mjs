/** Brings the checkout into a state to run: the dependencies of the lockfile, and every package built. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './command.mjs';
import { step } from './step.mjs';

const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const quiet = { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', DO_NOT_TRACK: '1' };

/** npx and not corepack: newer Nodes come without corepack, and its keys have gone stale before. */
const pnpm = (...args) => run('npx', ['--yes', packageManager, ...args], quiet);

export async function prepareWorkspace() {
  await step('Dependencies installed', async () => {
    // Without a terminal pnpm would refuse, instead of ask, to replace a node_modules that it did not make.
    await pnpm('install', '--frozen-lockfile', '--config.confirmModulesPurge=false');
  });
  await step('Packages built', async () => {
    await pnpm('exec', 'turbo', 'run', 'build', '--continue', '--output-logs=errors-only');
  });
}
