/** Sidekiq's own Web UI on tsq's state: every page answers, shows what is there, and its buttons reach the process. */
import { describe, expect, test } from '@jest/globals';
import { Client, DeadSet, RetrySet, ScheduledSet } from '@tsq/core';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
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
