/** Whether this machine has a Ruby with Sidekiq, and which. */
import { spawnSync } from 'node:child_process';

/** What is here: a version to test against, or the reason why there is none. */
export type RubyProbe = { readonly version: string } | { readonly missing: string };

/** @param command the interpreter; another one than `ruby` only to test this */
export function probeRuby(command = 'ruby'): RubyProbe {
  const code = 'require "sidekiq"; require "sidekiq/api"; print Sidekiq::VERSION';
  const { error, status, stdout, stderr } = spawnSync(command, ['-e', code], { encoding: 'utf8' });
  if (error !== undefined) return { missing: `no ${command} can be run (${error.message})` };
  if (status !== 0) return { missing: `${command} has no sidekiq (${stderr.trim().split('\n')[0] ?? ''})` };
  return { version: stdout };
}
