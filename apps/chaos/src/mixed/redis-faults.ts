/** What happens to Redis, and with it to all. */
import type { Battlefield, FaultKind } from './battlefield.js';

const sphere = 'redis';

/** Done, held for a while, and taken back. */
async function held(
  { stage, servers }: Battlefield,
  text: string,
  forMs: number,
  begin: readonly (string | number)[],
  end: readonly (string | number)[],
): Promise<string> {
  const { admin, primary } = servers;
  const trouble = primary.trouble(text);
  const [name = '', ...args] = begin;
  await admin.call(String(name), ...args);
  await stage.pause(forMs);
  const [back = '', ...backArgs] = end;
  await admin.call(String(back), ...backArgs);
  trouble.over();
  return `for ${forMs} ms`;
}

export const redisFaults: readonly FaultKind[] = [
  {
    ...{ name: 'Redis killed, back before the TTL', sphere, weight: 4 },
    async run({ servers, random }) {
      const awayMs = random.below(1_500);
      await servers.restart(awayMs);
      return `away for ${awayMs} ms`;
    },
  },
  {
    ...{ name: 'Redis killed, back after the TTL', sphere, weight: 2 },
    async run({ servers, random }) {
      const awayMs = 3_500 + random.below(3_000);
      await servers.restart(awayMs);
      return `away for ${awayMs} ms`;
    },
  },
  {
    ...{ name: 'Redis loading', sphere, weight: 2 },
    async run({ servers, random }) {
      const forMs = 300 + random.below(4_000);
      await servers.restartSlowly(forMs);
      return `for ${forMs} ms`;
    },
  },
  {
    ...{ name: 'lost tail', sphere, weight: 3 },
    run: async ({ servers }) => `${await servers.restartWithoutTail()} bytes`,
  },
  {
    ...{ name: 'failover', sphere, weight: 2 },
    async run({ servers, fleet }) {
      await servers.failOver(fleet.posts.map(({ proxy }) => proxy));
      return `to port ${servers.primary.port}`;
    },
  },
  {
    ...{ name: 'full Redis', sphere, weight: 3 },
    run: (field) =>
      held(
        field,
        'full',
        1_000 + field.random.below(6_000),
        ['CONFIG', 'SET', 'maxmemory', '1mb'],
        ['CONFIG', 'SET', 'maxmemory', '0'],
      ),
  },
  {
    ...{ name: 'SCRIPT FLUSH', sphere, weight: 5 },
    async run({ servers, stage, random }) {
      const times = random.pick([1, 5, 20]);
      for (let time = 0; time < times; time += 1) {
        await servers.admin.script('FLUSH');
        await stage.pause(100);
      }
      return `${times} times`;
    },
  },
  {
    ...{ name: 'Redis paused', sphere, weight: 3 },
    async run({ servers, stage, random }) {
      const forMs = random.pick([50, 500, 2_000, 6_000]);
      const trouble = servers.primary.trouble('paused');
      await servers.admin.call('CLIENT', 'PAUSE', forMs, 'ALL');
      await stage.pause(forMs);
      trouble.over();
      return `for ${forMs} ms`;
    },
  },
  {
    ...{ name: 'READONLY', sphere, weight: 3 },
    run: (field) =>
      // A replica of nobody: it keeps what it has, and refuses to write.
      held(
        field,
        'readonly',
        500 + field.random.below(4_000),
        ['REPLICAOF', '127.0.0.1', 1],
        ['REPLICAOF', 'NO', 'ONE'],
      ),
  },
  { ...{ name: 'BUSY', sphere, weight: 2 }, run: busy },
  {
    ...{ name: 'CLIENT KILL of all', sphere, weight: 4 },
    async run({ servers, stage, random }) {
      const times = random.pick([1, 1, 15]);
      const trouble = servers.primary.trouble('client kill');
      for (let time = 0; time < times; time += 1) {
        await servers.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await stage.pause(200);
      }
      trouble.over();
      return `${times} times`;
    },
  },
  { ...{ name: 'maxclients', sphere, weight: 2 }, run: noRoom },
  {
    ...{ name: 'all heartbeats expire at once', sphere, weight: 2 },
    async run({ servers, stage }) {
      const trouble = servers.primary.trouble('heartbeats expired');
      const keys = await servers.admin.keys('tsq:instance:*');
      for (const key of keys) await servers.admin.pexpire(key, 1);
      await stage.pause(1_000);
      trouble.over();
      return `${keys.length} instances`;
    },
  },
];

/** A script that does not end: everybody else is told BUSY. */
async function busy({ servers, stage, random }: Battlefield): Promise<string> {
  const { admin, primary } = servers;
  const trouble = primary.trouble('busy');
  await admin.call('CONFIG', 'SET', 'busy-reply-threshold', 50);
  const endless = stage.connect(primary);
  const ended = endless.eval('while true do end', 0).then(
    () => undefined,
    () => undefined, // SCRIPT KILL
  );
  const forMs = 300 + random.below(2_500);
  await stage.pause(forMs);
  await admin.script('KILL');
  await ended;
  endless.disconnect();
  await admin.call('CONFIG', 'SET', 'busy-reply-threshold', 5_000);
  trouble.over();
  return `for ${forMs} ms`;
}

/** Nobody may connect any more, and one process' connections are cut. */
async function noRoom({ servers, stage, fleet, random }: Battlefield): Promise<string> {
  const { admin, primary } = servers;
  const trouble = primary.trouble('maxclients');
  const connected = Number(/connected_clients:(\d+)/.exec(await admin.info('clients'))?.[1] ?? 1);
  await admin.config('SET', 'maxclients', String(Math.max(1, connected)));
  const post = fleet.pick(random);
  post.proxy.cutAll();
  const forMs = 500 + random.below(2_000);
  await stage.pause(forMs);
  await admin.config('SET', 'maxclients', '10000');
  trouble.over();
  return `post ${post.number}, for ${forMs} ms`;
}
