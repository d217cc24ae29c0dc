import { expect, test } from '@jest/globals';
import { type Outcome, Payload, readTimestampMs } from '@tsq/core';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
import { JobRetry } from './job-retry.js';

const failing = `
class Failing
  include Sidekiq::Worker
  sidekiq_options retry: 7
  def perform(*) = raise(RangeError, "no \\u{1F600} \\"quotes\\" \\u2028")
end
`;
const message = 'no 😀 "quotes" \u2028';

function fail(bytes: string, nowMs: number, error: unknown): Promise<Outcome> {
  const retry = new JobRetry({ now: () => nowMs });
  const payload = Payload.parse(Buffer.from(bytes));
  return retry.outcomeOf({ payload, queue: 'low', workerOptions: { retry: 7 } }, error);
}

describeWithRuby('JobRetry beside Ruby', (ruby) => {
  const redis = useRedis();

  test.each<[string, string]>([
    [
      'first failure',
      '{"retry":true,"queue":"default","args":[1,1.0,"é"],"class":"Failing","jid":"j1","x":null}',
    ],
    ['first failure of a payload without retry', '{"class":"Failing","args":[],"jid":"j1"}'],
    [
      'later failure, on a retry queue',
      '{"retry":4,"queue":"default","args":[],"class":"Failing","jid":"j1","retry_queue":"low","error_message":"old","error_class":"Old","failed_at":1795466562.4969463,"retry_count":2}',
    ],
  ])("%s: our entry is Ruby's, byte for byte", async (_name, popped) => {
    const connection = redis.connect();
    const server = await ruby.server({
      redisUrl: redis.url,
      source: failing,
      queues: ['low'],
      concurrency: 1,
    });
    await connection.lpush('queue:low', popped);
    const [entry, score] = await eventually(async () => {
      const entries = await connection.zrange('retry', '0', '-1', 'WITHSCORES');
      expect(entries).toHaveLength(2);
      return entries;
    });
    await server.stop();
    const stored = Payload.parse(Buffer.from(String(entry)));
    const time = stored.raw(stored.has('retried_at') ? 'retried_at' : 'failed_at');
    const nowMs = readTimestampMs(time ?? '');
    if (nowMs === undefined) throw new Error(`Ruby wrote ${entry}`);
    const ours = await fail(popped, nowMs, new RangeError(message));
    if (ours.kind !== 'retry') throw new Error(`the outcome is ${ours.kind}`);
    expect(sameTimes(ours.bytes.toString(), time)).toBe(entry);
    // Ruby's jitter is another throw of the dice: less than 10 for each retry so far.
    const count = Number(stored.integer('retry_count'));
    const delaySeconds = Number(score) - nowMs / 1_000;
    expect(Math.abs(delaySeconds - ours.delaySeconds)).toBeLessThan(10 * (count + 1));
  });

  test('Ruby reads the backtrace of our entry', async () => {
    const ours = await fail(
      '{"class":"A","args":[],"jid":"j1","backtrace":3}',
      Date.now(),
      new Error('boom'),
    );
    if (ours.kind !== 'retry') throw new Error(`the outcome is ${ours.kind}`);
    await redis.connect().zadd('retry', '1.5', ours.bytes);
    const script =
      'job = Sidekiq::RetrySet.new.first; [job["error_class"], job["retry_count"], job.error_backtrace]';
    const read = await ruby.run(script, { redisUrl: redis.url });
    expect(read).toEqual(['Error', 0, Array(3).fill(expect.stringMatching(/^at /))]);
  });

  test("Sidekiq's Web UI shows the backtrace of our entry, though it stands on one line of base64", async () => {
    const thrown = new Error('outer', { cause: new RangeError('inner') });
    const ours = await fail('{"class":"A","args":[],"jid":"j1","backtrace":true}', Date.now(), thrown);
    if (ours.kind !== 'retry') throw new Error(`the outcome is ${ours.kind}`);
    await redis.connect().zadd('retry', '1.5', ours.bytes);
    const script = `
      require 'sidekiq/web'
      require 'rack/mock'
      secret = 'a secret for the cookie of the session, long enough'
      app = Rack::Builder.new { use Rack::Session::Cookie, secret: secret; run Sidekiq::Web }
      Rack::MockRequest.new(app).get('/retries/1.5-j1').then { |got| [got.status, got.body] }
    `;
    const [status, page] = (await ruby.run(script, { redisUrl: redis.url })) as [number, string];
    expect(status).toBe(200);
    expect(page).toContain('outer; caused by RangeError: inner');
    expect(page).toMatch(/<code>[^<]*at .*job-retry\.ruby\.test/);
    expect(page).toContain('Caused by: RangeError: inner');
  });
});

/** Ruby's clock has more digits than a Date; its own text for the moment takes the place of ours. */
function sameTimes(entry: string, time: Buffer | undefined): string {
  const key = entry.includes('"retried_at"') ? 'retried_at' : 'failed_at';
  return entry.replace(new RegExp(`"${key}":[0-9.]+`), `"${key}":${time?.toString()}`);
}
