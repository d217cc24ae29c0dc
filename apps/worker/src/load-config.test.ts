import { describe, expect, test } from '@jest/globals';
import type { Config } from './config.js';
import { readCommandLine } from './flags.js';
import { loadConfig } from './load-config.js';
import { useFolders } from './test-support/folder-of.js';

describe('the Config', () => {
  const folderOf = useFolders();

  function load(
    args: readonly string[],
    environment: Record<string, string>,
    files: Record<string, string> = {},
  ) {
    const line = readCommandLine(args, '0.0.0');
    if (line.kind === 'end') throw new Error('the command line was refused');
    return loadConfig(line.flags, line.configFile, environment, folderOf(files));
  }

  function configOf(args: readonly string[], environment: Record<string, string> = {}, files = {}): Config {
    return load(args, environment, files).config;
  }

  test('without any source it is the defaults', () => {
    expect(configOf([])).toMatchObject({
      redisUrl: 'redis://localhost:6379/0',
      environment: 'development',
      queues: [{ name: 'default', weight: 0 }],
      concurrency: 10,
      timeoutSeconds: 25,
      heartbeat: { intervalSeconds: 30, ttlSeconds: 90 },
      recovery: { intervalSeconds: 30, lockTtlSeconds: 300, startDelaySeconds: 5 },
    });
  });

  test("Sidekiq's flags mean what they mean to Sidekiq", () => {
    const args = '-r ./a.ts -r ./b -q critical,2 -q default -c 7 -t 3 -e production -g blue -v'.split(' ');
    expect(configOf(args)).toMatchObject({
      require: ['./a.ts', './b'],
      queues: [
        { name: 'critical', weight: 2 },
        { name: 'default', weight: 0 },
      ],
      concurrency: 7,
      timeoutSeconds: 3,
      environment: 'production',
      tag: 'blue',
      log: { level: 'debug' },
    });
  });

  test('sentinels come from flags, variables and the file', () => {
    const flags = ['--sentinel', 's1:26379', '--sentinel', '[::1]', '--sentinel-master', 'mymaster'];
    expect(configOf(flags).sentinel).toEqual({ nodes: ['s1:26379', '[::1]'], master: 'mymaster' });
    const environment = {
      TSQ_SENTINEL_NODES: 's1 s2:5000',
      TSQ_SENTINEL_MASTER: 'other',
      TSQ_SENTINEL_PASSWORD: 'secret',
    };
    const sentinel = { nodes: ['s1', 's2:5000'], master: 'other', password: 'secret' };
    expect(configOf([], environment).sentinel).toEqual(sentinel);
    const file = 'sentinel:\n  nodes: [s1:26379]\n  master: mymaster\n';
    expect(configOf([], {}, { 'tsq.yml': file }).sentinel?.nodes).toEqual(['s1:26379']);
    expect(configOf([]).sentinel).toBeUndefined();
  });

  test.each([
    [
      ['--sentinel', 's1'],
      /sentinel\.master: expected what the sentinels call the primary, such as mymaster/,
    ],
    [['--sentinel-master', 'mymaster'], /sentinel\.nodes: expected a list with host:port of a sentinel/],
    [
      ['--sentinel', 'redis://s1:26379', '--sentinel-master', 'm'],
      /^flag --sentinel: sentinel\.nodes\.0: expected host:port of a sentinel.*, got "redis:\/\/s1:26379"$/,
    ],
    [['--sentinel', 's1:99999', '--sentinel-master', 'm'], /expected host:port of a sentinel/],
  ])('%j is refused', (args, message) => {
    expect(() => configOf(args)).toThrow(message);
  });

  test('a slip in the settings of the sentinels is refused with the nearest name', () => {
    const file = 'sentinel:\n  nodes: [s1]\n  masterName: mymaster\n';
    expect(() => configOf([], {}, { 'tsq.yml': file })).toThrow(
      /no setting "sentinel.masterName"; did you mean/,
    );
  });

  test('a flag wins over a variable, a variable over the file', () => {
    const files = { 'tsq.yml': 'concurrency: 1\ntag: file\nheartbeat:\n  intervalSeconds: 3\n' };
    const environment = { TSQ_CONCURRENCY: '2', TSQ_TAG: 'variable', TSQ_HEARTBEAT_TTL_SECONDS: '20' };
    const config = configOf(['-c', '3'], environment, files);
    expect(config).toMatchObject({ concurrency: 3, tag: 'variable' });
    expect(config.heartbeat).toEqual({ intervalSeconds: 3, ttlSeconds: 20, stallTimeoutSeconds: 0 });
  });

  test.each([
    ['normal', { intervalSeconds: 30, ttlSeconds: 90 }, { lockTtlSeconds: 300, startDelaySeconds: 5 }],
    ['critical', { intervalSeconds: 15, ttlSeconds: 45 }, { lockTtlSeconds: 300, startDelaySeconds: 5 }],
    ['high-churn', { intervalSeconds: 10, ttlSeconds: 30 }, { lockTtlSeconds: 600, startDelaySeconds: 10 }],
  ])('the profile %s sets the times of heartbeat and recovery', (profile, heartbeat, recovery) => {
    const { intervalSeconds } = heartbeat;
    const expected = { profile, heartbeat, recovery: { ...recovery, intervalSeconds } };
    expect(configOf(['--profile', profile])).toMatchObject(expected);
    expect(configOf([], { TSQ_PROFILE: profile })).toMatchObject(expected);
    expect(configOf([], {}, { 'tsq.yml': `profile: ${profile}` })).toMatchObject(expected);
  });

  test('each time wins over the profile, wherever the two stand', () => {
    const files = { 'tsq.yml': 'heartbeat: {ttlSeconds: 61}\nrecovery: {startDelaySeconds: 0}\n' };
    const config = configOf(['--profile', 'critical'], { TSQ_RECOVERY_LOCK_TTL_SECONDS: '77' }, files);
    expect(config.heartbeat).toEqual({ intervalSeconds: 15, ttlSeconds: 61, stallTimeoutSeconds: 0 });
    expect(config.recovery).toMatchObject({ intervalSeconds: 15, startDelaySeconds: 0, lockTtlSeconds: 77 });
  });

  test('-q and -c set the capsule of the top level, and leave the named ones of the file', () => {
    const files = { 'tsq.yml': 'queues: [a]\ncapsules:\n  bulk: {concurrency: 3, queues: [b]}\n' };
    const config = configOf(['-q', 'c', '-c', '2'], { RAILS_MAX_THREADS: '9' }, files);
    expect(config).toMatchObject({ concurrency: 2, queues: [{ name: 'c' }] });
    expect(config.capsules).toEqual({ bulk: { concurrency: 3, queues: [{ name: 'b', weight: 0 }] } });
  });

  test.each([
    [{ REDIS_URL: 'redis://a:1' }, 'redis://a:1'],
    [{ REDIS_URL: 'redis://a:1', REDIS_PROVIDER: 'OTHER', OTHER: 'redis://b:2' }, 'redis://b:2'],
    [{ REDIS_PROVIDER: 'OTHER', OTHER: 'redis://b:2', TSQ_REDIS_URL: 'unix:///c' }, 'unix:///c'],
  ])('of %j the Redis URL is %s', (environment, url) => {
    expect(configOf([], environment).redisUrl).toBe(url);
  });

  test.each([
    [{ RAILS_MAX_THREADS: '4' }, { concurrency: 4 }],
    [{ RACK_ENV: 'c', RAILS_ENV: 'b', APP_ENV: 'a' }, { environment: 'a' }],
    [{ RACK_ENV: 'c', RAILS_ENV: 'b' }, { environment: 'b' }],
    [{ NODE_ENV: 'd', RACK_ENV: 'c' }, { environment: 'c' }],
    [{ DYNO: 'worker.1' }, { hostName: 'worker.1' }],
    [{ TSQ_BEAT_INTERVAL_SECONDS: '5' }, { beatIntervalSeconds: 5, showToOldReaders: true }],
    [{ TSQ_SHOW_TO_OLD_READERS: 'false' }, { beatIntervalSeconds: 10, showToOldReaders: false }],
    [
      { TSQ_QUEUES: 'a,2 b' },
      {
        queues: [
          { name: 'a', weight: 2 },
          { name: 'b', weight: 0 },
        ],
      },
    ],
    [
      { TSQ_LOG_JOBS: 'false', TSQ_FAIL_FAST: '1' },
      { log: { level: 'info', format: 'auto', jobs: false }, failFast: true },
    ],
  ])('the variables %j mean %j', (environment, expected) => {
    expect(configOf([], environment)).toMatchObject(expected);
  });

  test.each([
    [
      ['-c', 'many'],
      {},
      'TSQ_CONFIG_INVALID',
      /^flag --concurrency: concurrency: expected a number, got "many"$/,
    ],
    [['-c', '0'], {}, 'TSQ_CONFIG_INVALID', /^flag --concurrency: concurrency: expected 1 or more, got 0$/],
    [['-c', '1.5'], {}, 'TSQ_CONFIG_INVALID', /concurrency: expected an integer, got 1\.5$/],
    [['-c', '1001'], {}, 'TSQ_CONFIG_INVALID', /concurrency: expected 1000 or less, got 1001$/],
    [
      ['--poll-interval', '0'],
      {},
      'TSQ_CONFIG_INVALID',
      /poll.intervalSeconds: expected more than 0, got 0$/,
    ],
    [
      ['--log-level', 'loud'],
      {},
      'TSQ_CONFIG_INVALID',
      /expected one of debug, info, warn, error, got "loud"$/,
    ],
    [['-g', 'x', '-e', ''], {}, 'TSQ_CONFIG_INVALID', /environment: expected 1 or more characters, got ""$/],
    [[], { TSQ_FAIL_FAST: 'maybe' }, 'TSQ_CONFIG_INVALID', /expected true or false, got "maybe"$/],
    [['-q', 'a b'], {}, 'TSQ_CONFIG_INVALID', /flag --queue: queues\.0\.name: expected a name without space/],
    [['-q', 'a,x'], {}, 'TSQ_CONFIG_INVALID', /queues\.0\.weight: expected a number, got "a,x"$/],
    [['-q', 'sq|host|a'], {}, 'TSQ_CONFIG_INVALID', /flag --queue: .*expected a queue, and no private list/],
    [
      ['--heartbeat-ttl', '5'],
      {},
      'TSQ_CONFIG_INVALID',
      /flag --heartbeat-ttl: .*two heartbeat.intervalSeconds or more/,
    ],
    [
      ['--profile', 'critical', '--heartbeat-interval', '30'],
      {},
      'TSQ_CONFIG_INVALID',
      /two heartbeat.intervalSeconds or more, .* \(with profile critical it is 45, and the interval 30\)/,
    ],
    [
      ['--heartbeat-ttl', '3', '--heartbeat-interval', '1', '--recovery-watch-interval', '3'],
      {},
      'TSQ_CONFIG_INVALID',
      /flag --recovery-watch-interval: .*expected less than heartbeat.ttlSeconds.*the TTL is 3\), got 3$/,
    ],
    [
      ['--profile', 'critcal'],
      {},
      'TSQ_CONFIG_INVALID',
      /^flag --profile: profile: expected one of normal, critical, high-churn, got "critcal"; did you mean "critical"\?$/,
    ],
    [[], { TSQ_CONCURRENCY: 'x' }, 'TSQ_CONFIG_INVALID', /^TSQ_CONCURRENCY: concurrency: .*got "x"/],
    [[], { RAILS_MAX_THREADS: '0' }, 'TSQ_CONFIG_INVALID', /^RAILS_MAX_THREADS: /],
    [[], { TSQ_CAPSULES: 'a' }, 'TSQ_CONFIG_UNKNOWN_KEY', /no setting is read from TSQ_CAPSULES/],
    [[], { TSQ_CONCURENCY: '1' }, 'TSQ_CONFIG_UNKNOWN_KEY', /did you mean "TSQ_CONCURRENCY"\?/],
    [[], { REDIS_PROVIDER: 'redis://:secret@h' }, 'TSQ_CONFIG_INVALID', /expected the NAME(?!.*secret)/],
    [[], { REDIS_PROVIDER: 'MISSING' }, 'TSQ_CONFIG_INVALID', /MISSING is not set/],
    [
      [],
      { REDIS_URL: 'http://:secret@h' },
      'TSQ_CONFIG_INVALID',
      /^REDIS_URL: redisUrl: expected a URL with redis:\/\/(?!.*secret)/,
    ],
  ])('%j with %j is refused: %s %s', (args, environment, code, message) => {
    expect(() => configOf(args, environment)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('variables that Kubernetes makes for a Service called tsq, and those of other commands, are no settings', () => {
    const environment = {
      TSQ_SERVICE_HOST: '10.0.0.1',
      TSQ_PORT: 'tcp://10.0.0.1:80',
      TSQ_WEB_PORT_80_TCP_ADDR: '10.0.0.1',
      TSQ_SERVICE_PORT_HTTP: '80',
      TSQ_DEMO_JOURNAL: '/tmp/x',
    };
    expect(configOf([], environment).concurrency).toBe(10);
  });
});
