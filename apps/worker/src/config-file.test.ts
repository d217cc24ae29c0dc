import { describe, expect, test } from '@jest/globals';
import { capsulesOf } from './capsules.js';
import { loadConfig } from './load-config.js';
import { useFolders } from './test-support/folder-of.js';

const queue = (name: string, weight: number) => ({ name, weight });

const noFlags = { settings: {}, nameOf: () => 'the flags' };

describe('the configuration file', () => {
  const folderOf = useFolders();

  function load(files: Record<string, string>, named?: string, environment: Record<string, string> = {}) {
    return loadConfig(noFlags, named, environment, folderOf(files));
  }

  test("Sidekiq's file may hold what only tsq has, under a key of its own, which wins over the rest", () => {
    const text =
      ':concurrency: 3\n:timeout: 7\ntsq:\n  profile: critical\n  timeoutSeconds: 9\n  trackedQueues: [payments]\n  heartbeat: {ttlSeconds: 50}\n';
    const { config, warnings } = load({ 'config/sidekiq.yml': text });
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      concurrency: 3,
      timeoutSeconds: 9,
      trackedQueues: ['payments'],
      profile: 'critical',
    });
    expect(config.heartbeat).toMatchObject({ intervalSeconds: 15, ttlSeconds: 50 });
    expect(() => load({ 'config/sidekiq.yml': 'tsq:\n  profil: critical\n:queues: [a]\n' })).toThrow(
      'config/sidekiq.yml: no setting "profil"; did you mean "profile"?',
    );
  });

  test('the first of tsq.yml, config/tsq.yml and config/sidekiq.yml is read', () => {
    const files = { 'config/sidekiq.yml': ':concurrency: 3', 'config/tsq.yml': 'concurrency: 2' };
    expect(load({ ...files, 'tsq.yml': 'concurrency: 1' })).toMatchObject({
      config: { concurrency: 1 },
      file: 'tsq.yml',
    });
    expect(load(files).config.concurrency).toBe(2);
    expect(load({ 'config/sidekiq.yml': ':concurrency: 3' }).config.concurrency).toBe(3);
    expect(load({})).toMatchObject({ config: { concurrency: 10 }, file: undefined });
  });

  test('a file that is named must exist', () => {
    expect(() => load({}, 'nope.yml')).toThrow(expect.objectContaining({ code: 'TSQ_CONFIG_UNREADABLE' }));
    expect(() => load({}, undefined, { TSQ_CONFIG: 'nope.yml' })).toThrow(/nope\.yml: no such file/);
  });

  test('an empty file is no settings', () => {
    expect(load({ 'tsq.yml': '# nothing yet\n' }).config.concurrency).toBe(10);
  });

  test.each([
    ['concurency: 3', 'no setting "concurency"; did you mean "concurrency"?'],
    ['timeout: 3', 'no setting "timeout"; did you mean "timeoutSeconds"?'],
    ['heartbeat_interval: 3', 'no setting "heartbeat_interval"; did you mean "heartbeat.intervalSeconds"?'],
    ['heartbeat:\n  ttlSecond: 3', 'no setting "heartbeat.ttlSecond"; did you mean "heartbeat.ttlSeconds"?'],
    ['frobnicate: 1', 'no setting "frobnicate"'],
    ['queues:\n  - {name: a, wait: 1}', 'no setting "queues.0.wait"'],
    [
      'capsules:\n  bulk: {queue: [a], concurrency: 1}',
      'no setting "capsules.bulk.queue"; did you mean "capsules.bulk.queues"?',
    ],
  ])('of tsq.yml, %j is refused', (text, message) => {
    expect(() => load({ 'tsq.yml': text })).toThrow(
      expect.objectContaining({ code: 'TSQ_CONFIG_UNKNOWN_KEY', message: `tsq.yml: ${message}` }),
    );
  });

  test.each([
    ['a: [', /tsq\.yml is not YAML/],
    ['- a\n- b', /expected settings .* got a list/],
    ['hello', /got the string "hello"/],
    ['concurrency: ten', /tsq\.yml: concurrency: expected a number, got "ten"/],
    ['concurrency: {a: 1}', /tsq\.yml: concurrency: expected a number, got settings/],
    ['queues: 3', /tsq\.yml: queues: expected a list, got 3/],
    ['concurrency:', /tsq\.yml: concurrency: expected a number, got null/],
    ['capsules:\n  bulk: {queues: [a]}', /tsq\.yml: capsules\.bulk\.concurrency: expected a number$/],
    [
      'capsules:\n  bulk: {queues: [], concurrency: 1}',
      /capsules\.bulk\.queues: expected 1 or more entries, got/,
    ],
    [
      'capsules:\n  bulk: {queues: [a], concurrency: 0}',
      /capsules\.bulk\.concurrency: expected 1 or more, got 0/,
    ],
    [
      'capsules:\n  default: {queues: [a], concurrency: 1}',
      /capsules\.default: expected a name .*not "default".*level$/,
    ],
    ['log: loud', /tsq\.yml: log: expected settings, got "loud"/],
    ['concurrency: <%= 3 %>', /tsq\.yml, line 1: an ERB tag/],
    ['__proto__: 1', /no setting "__proto__"/],
  ])('of tsq.yml, %j is no configuration', (text, message) => {
    expect(() => load({ 'tsq.yml': text })).toThrow(message);
  });

  describe("of Sidekiq's", () => {
    const sidekiq = [
      '---',
      ':concurrency: 5',
      ':timeout: 8',
      ':max_retries: 3',
      ':dead_max_jobs: 7',
      ':poll_interval_average: 2',
      ':queues:',
      '  - critical',
      '  - [default, 2]',
      '  - low,1',
      '  - :mailers',
      'production:',
      '  :concurrency: 25',
      'staging:',
      '  :concurrency: 15',
    ].join('\n');

    test('the keys and queues are read, with the symbols of Ruby', () => {
      const { config, warnings } = load({ 'config/sidekiq.yml': sidekiq });
      expect(config).toMatchObject({
        concurrency: 5,
        timeoutSeconds: 8,
        maxRetries: 3,
        dead: { maxJobs: 7 },
        poll: { averageSeconds: 2 },
        queues: [
          { name: 'critical', weight: 0 },
          { name: 'default', weight: 2 },
          { name: 'low', weight: 1 },
          { name: 'mailers', weight: 0 },
        ],
      });
      expect(warnings).toEqual([]);
    });

    test('the section of the environment goes over the top level, and only that one', () => {
      const files = { 'config/sidekiq.yml': sidekiq };
      expect(load(files, undefined, { RAILS_ENV: 'production' }).config.concurrency).toBe(25);
      expect(load(files, undefined, { RAILS_ENV: 'test' }).config.concurrency).toBe(5);
      const own = { 'config/sidekiq.yml': `${sidekiq}\n:environment: staging` };
      expect(load(own).config).toMatchObject({ environment: 'staging', concurrency: 15 });
    });

    test('each key that tsq does not know is named in a warning, and stops nothing', () => {
      const text = ':concurrency: 5\n:fetch_class: Foo\n:concurency: 3\n:require: ./app.rb\n';
      const { config, warnings } = load({ 'jobs.yml': text }, 'jobs.yml');
      expect(config.concurrency).toBe(5);
      expect(warnings).toEqual([
        'jobs.yml: "fetch_class" is not a setting of tsq, and is passed over',
        'jobs.yml: "concurency" is not a setting of tsq, and is passed over; did you mean "concurrency"?',
        'jobs.yml: "require" names Ruby code; name the TypeScript workers with -r',
      ]);
    });

    test('capsules are read beside the queues of the top level, each queue in the form that its version writes', () => {
      const text = [
        ':concurrency: 5\n:queues:\n  - [critical, 2]\n  - default',
        ':capsules:',
        '  :single:\n    :concurrency: 1\n    :queues:\n      - serial\n      - [later, 0]',
        '  :bulk:\n    :concurrency: 3\n    :queues:\n      - "imports,1"\n      - exports,1\n    :queue: x',
      ].join('\n');
      const { config, warnings } = load({ 'config/sidekiq.yml': text }, undefined, { TSQ_CONCURRENCY: '7' });
      expect(config).toMatchObject({
        concurrency: 7,
        queues: [queue('critical', 2), queue('default', 0)],
        capsules: {
          single: { concurrency: 1, queues: [queue('serial', 0), queue('later', 0)] },
          bulk: { concurrency: 3, queues: [queue('imports', 1), queue('exports', 1)] },
        },
      });
      expect(capsulesOf(config).map(({ name, order }) => [name, order.mode])).toEqual([
        ['default', 'weighted'],
        ['single', 'strict'],
        ['bulk', 'random'],
      ]);
      expect(warnings).toEqual([
        'config/sidekiq.yml: "capsules.bulk.queue" is not a setting of tsq, and is passed over; did you mean "queues"?',
      ]);
    });

    test('a capsule called default is that of the top level, and capsules of the section replace those above', () => {
      const text = [
        'concurrency: 5\ncapsules:',
        '  default: {concurrency: 2, queues: [a]}\n  bulk: {concurrency: 1, queues: [b]}',
        'production:\n  capsules:\n    other: {concurrency: 3, queues: [c]}\n',
      ].join('\n');
      const top = load({ 'sidekiq.yml': text }, 'sidekiq.yml').config;
      expect(top).toMatchObject({ concurrency: 2, queues: [queue('a', 0)] });
      expect(Object.keys(top.capsules)).toEqual(['bulk']);
      const production = load({ 'sidekiq.yml': text }, 'sidekiq.yml', { APP_ENV: 'production' }).config;
      expect(production).toMatchObject({ concurrency: 5, queues: [queue('default', 0)] });
      expect(Object.keys(production.capsules)).toEqual(['other']);
    });

    test("a gem's map is named in a warning too, and the section of another environment is not", () => {
      const text = [
        ':limits:\n  default: 5',
        ':schedule:\n  nightly:\n    cron: "0 0 * * *"',
        ':redis:\n  :timeout: 3',
        ':dynamic:\n  :timeout: 3\n  :size: 4',
        'empty_map: {}',
        'review:\n  :concurrency: 7\n  :fetch_class: Foo',
        'canary:\n  :timeout: 7',
        'staging:\n  :frobnicate: 1',
        'test:',
        'production:\n  :timeout: 9\n  :limits:\n    low: 1\n  :tiemout: 3\n',
      ].join('\n');
      const { config, warnings } = load({ 'sidekiq.yml': text }, 'sidekiq.yml', { APP_ENV: 'production' });
      expect(config).toMatchObject({ concurrency: 10, timeoutSeconds: 9 });
      expect(warnings.map((warning) => warning.replace('sidekiq.yml: ', ''))).toEqual([
        '"limits" is not read: a process holds itself to its concurrency alone',
        '"schedule" is sidekiq-cron\'s or sidekiq-scheduler\'s: leave it to a process of Ruby',
        '"redis" is not read: name the server in REDIS_URL, sentinels in TSQ_SENTINEL_NODES and TSQ_SENTINEL_MASTER',
        '"dynamic" is not a setting of tsq, and is passed over',
        '"empty_map" is not a setting of tsq, and is passed over',
        '"production.limits" is not read: a process holds itself to its concurrency alone',
        '"production.tiemout" is not a setting of tsq, and is passed over; did you mean "timeout"?',
      ]);
    });

    test('aliases and merges are followed, and what they come from is a section', () => {
      const text = 'base: &base\n  concurrency: 4\nproduction:\n  <<: *base\n';
      const loaded = load({ 'sidekiq.yml': text }, 'sidekiq.yml', { APP_ENV: 'production' });
      expect(loaded).toMatchObject({ config: { concurrency: 4 }, warnings: [] });
    });

    test('an ERB tag is refused with its line, but not within a comment', () => {
      const text = '# was <%= 3 %>\n:timeout: 3\n:concurrency: <%= ENV["N"] %>\n';
      expect(() => load({ 'config/sidekiq.yml': text })).toThrow(
        expect.objectContaining({
          code: 'TSQ_CONFIG_INVALID',
          message: expect.stringMatching(/line 3: an ERB tag/),
        }),
      );
      expect(() => load({ 'config/sidekiq.yml.erb': ':concurrency: <%= 3 %>' })).toThrow(
        /yml\.erb, line 1: an ERB/,
      );
      expect(load({ 'config/sidekiq.yml.erb': ':concurrency: 3' }).config.concurrency).toBe(3);
      expect(load({ 'config/sidekiq.yml': '# was <%= 3 %>\n:timeout: 3\n' }).config.timeoutSeconds).toBe(3);
    });
  });
});
