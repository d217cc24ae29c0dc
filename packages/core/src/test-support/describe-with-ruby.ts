/**
 * Tests that need Ruby's Sidekiq. Where it can not be had they are skipped and say why; with CI=true that is a failure,
 * so no pipeline stays green by testing nothing.
 */
import { afterAll, describe, test } from '@jest/globals';
import { probeRuby } from './probe-ruby.js';
import { RubySidekiq } from './ruby-sidekiq.js';

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
