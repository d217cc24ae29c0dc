import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { describeWithRuby, withoutRuby } from './describe-with-ruby.js';
import { eventually } from './eventually.js';
import { probeRuby } from './probe-ruby.js';
import { RubySidekiq } from './ruby-sidekiq.js';
import { useRedis } from './use-redis.js';

describe('without Ruby', () => {
  test('the reason names the interpreter that is missing', () => {
    expect(probeRuby('ruby-of-nowhere')).toEqual({ missing: expect.stringContaining('ruby-of-nowhere') });
  });

  test('a Ruby without the gem is told apart from no Ruby', () => {
    // A program that fails as Ruby does when a library is not there.
    expect(probeRuby('false')).toEqual({ missing: expect.stringContaining('has no sidekiq') });
  });

  test('tests are skipped, except with CI=true, where they fail', () => {
    expect([withoutRuby(undefined), withoutRuby(''), withoutRuby('true')]).toEqual(['skip', 'skip', 'fail']);
  });
});

describeWithRuby('Ruby', (ruby) => {
  const redis = useRedis();
  const run = (script: string, args: readonly unknown[] = []) =>
    ruby.run(script, { redisUrl: redis.url, args });

  test('a snippet gives the value of its last expression, whatever it prints', async () => {
    expect(await run('puts "noise"; warn "more"; { "sum" => args.sum, "none" => nil }', [1, 2])).toEqual({
      sum: 3,
      none: null,
    });
  });

  test('a snippet pushes into the Redis that it is given', async () => {
    const jid = await run("Sidekiq::Client.push('class' => 'Some', 'queue' => 'low', 'args' => args)", [1]);
    expect(await redis.connect().lrange('queue:low', 0, -1)).toEqual([
      expect.stringContaining(`"jid":"${jid}"`),
    ]);
    expect(await run("Sidekiq::Queue.new('low').map(&:args)")).toEqual([[1]]);
  });

  test('the text of a value keeps every digit', async () => {
    expect(await ruby.runText('[2**60 + 1, 1.0]', { redisUrl: redis.url })).toBe('[1152921504606846977,1.0]');
  });

  test('an exception of a snippet rejects with its message and line', async () => {
    await expect(run('\nraise ArgumentError, "no such luck"')).rejects.toThrow(
      /script\.rb:2.*no such luck \(ArgumentError\)/,
    );
  });

  test('a snippet that hangs is killed', async () => {
    const hanging = ruby.run('sleep', { redisUrl: redis.url, withinMs: 700 });
    await expect(hanging).rejects.toThrow('took more than 700 ms and was killed');
  });

  const source = `
    class Note
      include Sidekiq::Worker
      def perform(text) = Sidekiq.redis { |redis| redis.call('RPUSH', 'notes', text) }
    end
  `;

  test('a server runs the jobs of its queues, is listed while it lives, and not after its stop', async () => {
    const connection = redis.connect();
    const server = await ruby.server({ redisUrl: redis.url, source, queues: ['low'], concurrency: 1 });
    expect(await run('Sidekiq::ProcessSet.new.map { |process| process["pid"] }')).toEqual([server.pid]);
    await run("Sidekiq::Client.push('class' => 'Note', 'queue' => 'low', 'args' => ['heard'])");
    await eventually(async () => expect(await connection.lrange('notes', 0, -1)).toEqual(['heard']));
    await server.stop();
    await server.stop();
    expect(await connection.smembers('processes')).toEqual([]);
  });

  test('a server whose workers can not be loaded rejects with its log', async () => {
    const broken = ruby.server({ redisUrl: redis.url, source: 'raise "no workers today"' });
    await expect(broken).rejects.toThrow(/ended instead of starting(.|\n)*no workers today/);
  });

  test('close ends a server that nobody stopped, and leaves no file', async () => {
    const own = new RubySidekiq(ruby.version);
    const server = await own.server({ redisUrl: redis.url, source });
    const lives = () => process.kill(server.pid ?? Number.NaN, 0);
    expect(lives()).toBe(true);
    expect(existsSync(own.folder)).toBe(true);
    await own.close();
    expect(lives).toThrow('ESRCH');
    expect(existsSync(own.folder)).toBe(false);
  });
});
