/** Sidekiq's own Web UI on tsq's state: every page answers, shows what is there, and its buttons reach the process. */
import { describe, expect, test } from '@jest/globals';
import { Client, DeadSet, Payload, RetrySet, ScheduledSet } from '@tsq/core';
import { describeWithRuby, eventually, type TestRedis, useRedis } from '@tsq/core/test-support';
import { type TsqWorker, useTsqWorkers } from './tsq-worker.js';

/** The UI, called without a server in between. `page` is GET; it answers [status, body]. */
const web = `
require 'sidekiq/web'
require 'rack/mock'
secret = 'a secret for the cookie of the session, long enough'
app = Rack::Builder.new { use Rack::Session::Cookie, secret: secret; run Sidekiq::Web }
browser = Rack::MockRequest.new(app)
page = lambda { |path| browser.get(path).then { |got| [got.status, got.body] } }
`;

/** As a person presses a button: with the session of the page, its token, and the process that the row names. */
const pressQuiet = `${web}
busy = browser.get('/busy')
field = lambda { |name| busy.body[/name=['"]#{name}['"] value=['"]([^'"]+)['"]/, 1] }
form = { 'authenticity_token' => field['authenticity_token'], 'identity' => field['identity'], 'quiet' => '1' }
cookie = busy['Set-Cookie'].split(';').first
answer = browser.post('/busy', params: form, 'HTTP_COOKIE' => cookie)
[form['identity'], answer.status, answer['Location']]
`;

/** The same for a button of the page of one entry. `args`: its path, the button. */
const press = `${web}
path, button = args
shown = browser.get(path)
token = shown.body[/name=['"]authenticity_token['"] value=['"]([^'"]+)['"]/, 1]
form = { 'authenticity_token' => token, button => button }
browser.post(path, params: form, 'HTTP_COOKIE' => shown['Set-Cookie'].split(';').first).status
`;

type Redis = ReturnType<TestRedis['connect']>;

describeWithRuby("Sidekiq's Web UI on tsq's state", (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();
  const run = (script: string, ...args: unknown[]) => ruby.run(script, { redisUrl: redis.url, args });

  /** A process with a running job, and one job each in retry, dead, schedule and a queue that nobody works on. */
  async function fleet() {
    const worker = await tsq.start(redis.url, '-q', 'low', '--tag', 'shop');
    const client = new Client({ url: redis.url });
    const low = client.with({ queue: 'low' });
    const jids = {
      running: await low.enqueue('Interop::Sleeping', [60_000]),
      retry: await low.with({ retry: 5 }).enqueue('Interop::Failing', ['<b>no such luck</b>']),
      dead: await low.with({ retry: 0 }).enqueue('Interop::Failing', ['never again']),
      scheduled: await client.enqueueIn(3_600, 'Interop::Echo', ['later']),
      queued: await client.enqueue('Interop::Typed', [7, 'waits']),
    };
    await client.close();
    await eventually(() => expect(tsq.journal.jids('start')).toContain(jids.running));
    const admin = redis.connect();
    await eventually(async () =>
      expect([await admin.zcard('retry'), await admin.zcard('dead')]).toEqual([1, 1]),
    );
    await untilShown(worker, jids.running ?? '');
    const keys = {
      retry: await firstId(new RetrySet(admin)),
      scheduled: await firstId(new ScheduledSet(admin)),
      dead: await firstId(new DeadSet(admin)),
    };
    return { worker, jids, keys };
  }

  /** Of the only entry: `SCORE-JID`, as the pages name it. */
  async function firstId(set: RetrySet | ScheduledSet | DeadSet): Promise<string> {
    for await (const { id } of set) return id;
    throw new Error('the set is empty');
  }

  /** The process tells of its running jobs at its next beat. */
  async function untilShown(worker: TsqWorker, jid: string): Promise<void> {
    const work = 'Sidekiq::Workers.new.map { |_, _, work| work["payload"]["jid"] }';
    await eventually(async () =>
      expect({ log: worker.log, work: await run(work) }).toMatchObject({ work: [jid] }),
    );
  }

  describe('with a job in every place', () => {
    test('each page answers 200 and shows what is there', async () => {
      const { worker, jids, keys } = await fleet();
      const shown = {
        '/': ['Processed', 'Redis'],
        '/busy': ['Interop::Sleeping', jids.running, `:${worker.pid}:`, 'shop'],
        '/queues': ['default', 'low'],
        '/queues/default': ['Interop::Typed', '&quot;waits&quot;'],
        '/retries': ['Interop::Failing', jids.retry, '&lt;b&gt;no such luck&lt;&#x2F;b&gt;'],
        '/scheduled': ['Interop::Echo', jids.scheduled, '&quot;later&quot;'],
        '/morgue': ['Interop::Failing', jids.dead, 'never again'],
        [`/retries/${keys.retry}`]: ['Interop::Failing', jids.retry, 'RangeError', '&lt;b&gt;no such luck'],
        [`/scheduled/${keys.scheduled}`]: ['Interop::Echo', jids.scheduled, '&quot;later&quot;'],
        [`/morgue/${keys.dead}`]: ['Interop::Failing', jids.dead, 'RangeError', 'never again'],
      };
      const paths = Object.keys(shown);
      const pages = (await run(`${web}\nargs.map(&page)`, ...paths)) as [status: number, body: string][];
      const answers = Object.values(shown).map((wanted, index) => {
        const [status, body] = pages[index] ?? [];
        return {
          path: paths[index],
          status,
          missing: wanted.filter((text) => !body?.includes(String(text))),
        };
      });
      expect(answers).toEqual(paths.map((path) => ({ path, status: 200, missing: [] })));
    });
  });

  describe('the buttons of one entry', () => {
    /** Pages of the sets, each with a set of ours. */
    const pages = {
      retries: (connection: Redis) => new RetrySet(connection),
      scheduled: (connection: Redis) => new ScheduledSet(connection),
      morgue: (connection: Redis) => new DeadSet(connection),
    };
    const keyOf = { retries: 'retry', scheduled: 'schedule', morgue: 'dead' };

    test.each([
      ['retries', 'retry', 'queue:low'],
      ['retries', 'delete', undefined],
      ['retries', 'kill', 'dead'],
      ['scheduled', 'add_to_queue', 'queue:low'],
      ['scheduled', 'delete', undefined],
      ['morgue', 'retry', 'queue:low'],
      ['morgue', 'delete', undefined],
    ] as const)(
      '/%s: %s moves the entry that tsq wrote, and nothing stays behind',
      async (page, button, goal) => {
        const admin = redis.connect();
        await using client = new Client({ url: redis.url });
        const jid = await client.with({ queue: 'low' }).enqueueIn(3_600, 'Interop::Echo', [1]);
        const [bytes = ''] = await admin.zrange('schedule', '0', '-1');
        await admin.del('schedule', 'queues');
        const failed = Payload.parse(Buffer.from(bytes)).edit({
          failed_at: '1795466808.5',
          retry_count: '0',
        });
        await admin.zadd(keyOf[page], String(Date.now() / 1_000 + 3_600), failed);
        expect(await run(press, `/${page}/${await firstId(pages[page](admin))}`, button)).toBe(302);
        expect(await admin.zcard(keyOf[page])).toBe(0);
        const landed = {
          'queue:low': await admin.lrange('queue:low', 0, -1),
          dead: await admin.zrange('dead', '0', '-1'),
        };
        const places = Object.entries(landed).filter(([, jobs]) =>
          jobs.some((job) => job.includes(`"jid":"${jid}"`)),
        );
        expect(places.map(([place]) => place)).toEqual(goal === undefined ? [] : [goal]);
      },
    );
  });

  test('the page of a job that was refused shows why', async () => {
    await tsq.start(redis.url, '-q', 'low');
    await using client = new Client({ url: redis.url });
    await client.with({ queue: 'low', custom: { bid: 'B1' } }).enqueue('Interop::Echo', [1]);
    await eventually(async () => expect(await redis.connect().zcard('retry')).toBe(1));
    const path = `/retries/${await firstId(new RetrySet(redis.connect()))}`;
    const [status, body] = (await run(`${web}\npage[args.first]`, path)) as [number, string];
    expect(status).toBe(200);
    expect(body).toContain('TSQ_JOB_REFUSED');
  });

  test('the Quiet button of a process on /busy reaches it', async () => {
    const worker = await tsq.start(redis.url);
    await eventually(async () => expect(await redis.connect().scard('processes')).toBe(1));
    const [identity] = await redis.connect().smembers('processes');
    expect(await run(pressQuiet)).toEqual([identity, 302, expect.stringContaining('/busy')]);
    await eventually(() => expect(worker.log).toContain('quiet: takes no new jobs'));
    await eventually(async () =>
      expect(await run(`${web}\npage['/busy'][1].match?(/label-danger">quiet</)`)).toBe(true),
    );
    expect(await redis.connect().hget(`${identity}`, 'quiet')).toBe('true');
  });
});
