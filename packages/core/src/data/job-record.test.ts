import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { describeWithRuby, useRedis } from '../test-support/index.js';
import { JobRecord } from './job-record.js';

const record = (json: string) => new JobRecord(Buffer.from(json));
const packed = deflateSync('["a.rb:1","b.rb:2"]').toString('base64');

const inner = (jobClass: string, args: string) =>
  `[{"job_class":"${jobClass}","job_id":"1","arguments":${args}}]`;
const rails = 'ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper';
const mail = '["UserMailer","welcome","deliver_now",{"args":[1,"a"]}]';

/** Every payload is read by Ruby as well. */
const shown: readonly [what: string, json: string][] = [
  ['a plain job', '{"class":"W","args":[1,"x"]}'],
  ['a label', '{"class":"W","args":[1],"display_class":"Label"}'],
  ['an encrypted job', '{"class":"W","args":[1,"secret"],"encrypt":true}'],
  ['an ActiveJob', `{"class":"${rails}","wrapped":"Real::Job","args":${inner('Real::Job', '[1,2]')}}`],
  [
    'a mail of Rails 6',
    `{"class":"${rails}","wrapped":"ActionMailer::MailDeliveryJob","args":${inner('ActionMailer::MailDeliveryJob', mail)}}`,
  ],
  [
    'a mail of Rails 5',
    `{"class":"${rails}","wrapped":"ActionMailer::DeliveryJob","args":${inner('ActionMailer::DeliveryJob', '["UserMailer","welcome","deliver_now",1]')}}`,
  ],
];

describe('JobRecord', () => {
  test('reads every key that Sidekiq writes, by its type', () => {
    const job = record(
      '{"class":"W","args":[12345678901234567890],"jid":"j","queue":"low","tags":["a",1],"bid":"b","retry_count":-1,' +
        '"created_at":1795466562.25,"enqueued_at":1795466562250,"failed_at":1795466563.5,"retried_at":1795466564500,' +
        '"error_class":"E","error_message":"no","custom":{"a":[1]}}',
    );
    expect({
      ...{ class: job.class, args: job.args, jid: job.jid, queue: job.queue, tags: job.tags, bid: job.bid },
      ...{ retryCount: job.retryCount, errorClass: job.errorClass, errorMessage: job.errorMessage },
      ...{ created: job.createdAt?.getTime(), enqueued: job.enqueuedAt?.getTime() },
      ...{ failed: job.failedAt?.getTime(), retried: job.retriedAt?.getTime(), custom: job.value('custom') },
    }).toEqual({
      ...{ class: 'W', args: [12345678901234567890n], jid: 'j', queue: 'low', tags: ['a'], bid: 'b' },
      ...{ retryCount: -1, errorClass: 'E', errorMessage: 'no' },
      ...{ created: 1795466562250, enqueued: 1795466562250 },
      ...{ failed: 1795466563500, retried: 1795466564500, custom: { a: [1] } },
    });
  });

  test.each([
    ['as 7.2.1 and later write it', packed],
    ['with the line breaks of earlier ones', `${packed.slice(0, 20)}\\n${packed.slice(20)}\\n`],
  ])('unpacks a backtrace %s', (_what, text) => {
    expect(record(`{"class":"W","args":[],"error_backtrace":"${text}"}`).errorBacktrace).toEqual([
      'a.rb:1',
      'b.rb:2',
    ]);
  });

  test.each(['"no base64!"', '17', 'null', `"${deflateSync('{').toString('base64')}"`])(
    'has no backtrace when %s stands there',
    (value) => {
      expect(record(`{"class":"W","args":[],"error_backtrace":${value}}`).errorBacktrace).toBeUndefined();
    },
  );

  test('a backtrace that unpacks to more than 16 MB is none', () => {
    const bomb = deflateSync(`["${'x'.repeat(17 * 1024 * 1024)}"]`).toString('base64');
    expect(record(`{"class":"W","args":[],"error_backtrace":"${bomb}"}`).errorBacktrace).toBeUndefined();
  });

  test.each(['{not json', '[]', '"x"', '', '{"class":"W","args":[]} x'])(
    'of the bytes %p has no class and no args, and keeps them',
    (json) => {
      const job = record(json);
      const read = [job.class, job.args, job.displayClass, job.displayArgs, job.jid, job.createdAt, job.tags];
      expect(read).toEqual([...Array.from({ length: 6 }, () => undefined), []]);
      expect(job.bytes.toString()).toBe(json);
    },
  );

  test('of an object that is no job what it has is read, and it has no payload', () => {
    const job = record('{"class":"W","jid":"j","error_message":"no args"}');
    expect([job.class, job.displayClass, job.jid, job.errorMessage, job.args, job.payload]).toEqual([
      ...['W', 'W', 'j', 'no args'],
      ...[undefined, undefined],
    ]);
    expect(record('{"class":7,"args":[1],"jid":"j"}')).toMatchObject({
      class: undefined,
      args: [1],
      jid: 'j',
    });
  });

  test("the wrapper of Sidekiq 8 is taken off like Rails'", () => {
    const job = record(
      `{"class":"Sidekiq::ActiveJob::Wrapper","wrapped":"Real::Job","args":${inner('Real::Job', '[1]')}}`,
    );
    expect([job.displayClass, job.displayArgs]).toEqual(['Real::Job', [1]]);
  });

  test('a wrapper with nothing inside is shown as it is', () => {
    const job = record(`{"class":"${rails}","args":[null]}`);
    expect([job.displayClass, job.displayArgs]).toEqual([rails, [null]]);
  });

  test('hiding an encrypted argument leaves the args as they are', () => {
    const job = record('{"class":"W","args":[1,"secret"],"encrypt":true}');
    expect([job.displayArgs, job.args]).toEqual([
      [1, '[encrypted data]'],
      [1, 'secret'],
    ]);
  });
});

describeWithRuby("Ruby's JobRecord", (ruby) => {
  const server = useRedis();

  test('shows the same class and args, and the same backtrace', async () => {
    const texts = [...shown.map(([, json]) => json), `{"class":"W","args":[],"error_backtrace":"${packed}"}`];
    const theirs = await ruby.run(
      `args.map { |text| Sidekiq::JobRecord.new(text).then { |job| [job.display_class, job.display_args, job.error_backtrace] } }`,
      { redisUrl: server.url, args: texts },
    );
    const ours = texts
      .map(record)
      .map((job) => [job.displayClass, job.displayArgs, job.errorBacktrace ?? null]);
    expect(ours).toEqual(theirs);
  });
});
