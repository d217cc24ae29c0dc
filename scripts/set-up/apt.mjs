/** Installs Debian packages, where this user may: as root, or by a sudo that asks for no password. */
import { onPath, outcomeOf, SetUpError } from './command.mjs';

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
    const [command, ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    return await outcomeOf(command, rest);
  };
  const update = await aptGet('update'); // one source out of reach fails it, and may not matter: install decides
  const install = await aptGet('install', '--yes', '--no-install-recommends', ...packages);
  if (install.code === 0) return;
  const said = update.code === 0 ? install.output : `${update.output}\n${install.output}`;
  throw new SetUpError(`apt-get could not install ${packages.join(' ')}:\n${said}`);
}
