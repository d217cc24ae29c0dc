/**
 * Tests that need Ruby's Sidekiq. Where it can not be had they are skipped and say why; with CI=true that is a failure,
 * so no pipeline stays green by testing nothing.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, describe, test } from '@jest/globals';
import { RubySidekiq } from './ruby-sidekiq.js';

/** What is here: a version to test against, or the reason why there is none. */
export type RubyProbe = { readonly version: string } | { readonly missing: string };

/**
 * `describe`, with a Ruby whose processes are stopped and whose files are removed after the last test:
 * `describeWithRuby('a job pushed by Ruby', (ruby) => { const redis = useRedis(); test(…) })`.
 */
export function describeWithRuby(name: string, body: (ruby: RubySidekiq) => void): void {
  const probe = probeRuby();
  describe(name, () => {
    if ('missing' in probe) {
      reportMissing(probe.missing);
      return;
    }
    const ruby = new RubySidekiq(probe.version);
    afterAll(() => ruby.close());
    body(ruby);
  });
}

/** @param command the interpreter; another one than `ruby` only to test this */
export function probeRuby(command = 'ruby'): RubyProbe {
  const code = 'require "sidekiq"; require "sidekiq/api"; print Sidekiq::VERSION';
  const { error, status, stdout, stderr } = spawnSync(command, ['-e', code], { encoding: 'utf8' });
  if (error !== undefined) return { missing: `no ${command} can be run (${error.message})` };
  if (status !== 0) return { missing: `${command} has no sidekiq (${stderr.trim().split('\n')[0] ?? ''})` };
  return { version: stdout };
}

/** What becomes of the tests of a `describe` that has no Ruby. */
export function withoutRuby(ci: string | undefined): 'fail' | 'skip' {
  return ci === 'true' ? 'fail' : 'skip';
}

function reportMissing(reason: string): void {
  const sentence = `needs Ruby's Sidekiq: ${reason}; on Debian and Ubuntu: apt-get install ruby-sidekiq`;
  const fail = () => {
    throw new Error(`CI=true: ${sentence}`);
  };
  if (withoutRuby(process.env.CI) === 'fail') test(sentence, fail);
  else test.skip(sentence, fail);
}
