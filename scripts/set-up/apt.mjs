/** Installs Debian packages, where this user may: as root, or by a sudo that asks for no password. */
import { onPath, outcomeOf, run } from './command.mjs';

let listsAreFresh = false;

/** Why apt can not be used here, or undefined when it can. */
export async function aptIsNotPossible() {
  if (onPath('apt-get') === undefined) return 'there is no apt-get';
  if (process.getuid() === 0) return undefined;
  if (onPath('sudo') === undefined) return 'apt-get needs root, and there is no sudo';
  const { code } = await outcomeOf('sudo', ['-n', 'true']);
  return code === 0 ? undefined : 'apt-get needs root, and sudo asks for a password';
}

/** @throws SetUpError with apt's own words */
export async function aptInstall(packages) {
  const sudo = process.getuid() === 0 ? [] : ['sudo', '-n'];
  const aptGet = async (...args) => {
    const line = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    await run(line[0], line.slice(1));
  };
  if (!listsAreFresh) await aptGet('update');
  listsAreFresh = true;
  await aptGet('install', '--yes', '--no-install-recommends', ...packages);
}
