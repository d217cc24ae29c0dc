/** What happens to processes: they are killed, frozen, stopped in good order and in bad. */
import type { Battlefield, FaultKind } from './battlefield.js';
import type { Post } from './fleet.js';

const sphere = 'process';
/** Of the fleet's heartbeats. */
const ttlMs = 3_000;

async function freeze({ stage }: Battlefield, { worker }: Post, forMs: number): Promise<string> {
  worker.freeze();
  await stage.pause(forMs);
  worker.thaw();
  return `process ${worker.pid} for ${forMs} ms`;
}

export const processFaults: readonly FaultKind[] = [
  {
    ...{ name: 'kill -9', sphere, weight: 30 },
    async run({ fleet, random }) {
      const post = fleet.pick(random);
      await post.worker.kill();
      await fleet.replace(post);
      return `post ${post.number}`;
    },
  },
  {
    ...{ name: 'kill -9 of two at once', sphere, weight: 3 },
    async run({ fleet, random }) {
      const victims = [...new Set([fleet.pick(random), fleet.pick(random)])];
      await Promise.all(victims.map(({ worker }) => worker.kill()));
      for (const post of victims) await fleet.replace(post);
      return `posts ${victims.map(({ number }) => number).join(' ')}`;
    },
  },
  {
    ...{ name: 'SIGSTOP below the TTL', sphere, weight: 8 },
    run: (field) => freeze(field, field.fleet.pick(field.random), 300 + field.random.below(1_400)),
  },
  {
    ...{ name: 'SIGSTOP above the TTL', sphere, weight: 8 },
    run: (field) => freeze(field, field.fleet.pick(field.random), ttlMs + 1_000 + field.random.below(3_000)),
  },
  {
    ...{ name: 'TERM', sphere, weight: 6 },
    async run({ fleet, random }) {
      const post = fleet.pick(random);
      post.worker.terminate();
      return `post ${post.number}, ended with ${await post.worker.ended()}`;
    },
  },
  {
    ...{ name: 'TERM twice', sphere, weight: 4 },
    async run({ stage, fleet, random }) {
      const post = fleet.pick(random);
      post.worker.terminate();
      await stage.pause(random.below(1_500));
      post.worker.terminate();
      return `post ${post.number}, ended with ${await post.worker.ended()}`;
    },
  },
  {
    ...{ name: 'TERM, then kill -9', sphere, weight: 5 },
    async run({ stage, fleet, random }) {
      const post = fleet.pick(random);
      post.worker.terminate();
      const afterMs = random.below(3_500);
      await stage.pause(afterMs);
      await post.worker.kill();
      return `post ${post.number} after ${afterMs} ms`;
    },
  },
  {
    ...{ name: 'rolling restart', sphere, weight: 2 },
    async run({ fleet, stage }) {
      for (const post of fleet.posts) {
        post.worker.terminate();
        await post.worker.ended();
        await fleet.replace(post);
        await stage.untilReady(post.worker).catch(() => undefined); // another fault may have met it
      }
      return `${fleet.posts.length} processes`;
    },
  },
  {
    ...{ name: 'poison job', sphere, weight: 1 },
    async run({ producer }) {
      return await producer.enqueue('Chaos::Poison', [0]);
    },
  },
];
