/** What happens between one process and Redis. */
import type { Battlefield, FaultKind } from './battlefield.js';
import type { Post } from './fleet.js';

const sphere = 'network';

/** While it lasts the process may not be heard: the history says so, and of which process. */
async function during({ stage }: Battlefield, { worker }: Post, text: string, forMs: number): Promise<void> {
  const { pid } = worker;
  stage.note('network', text, pid);
  await stage.pause(forMs);
  stage.note('network-over', text, pid);
}

function modeFor(mode: 'hole' | 'half' | 'refuse', shortestMs: number, spanMs: number) {
  return async (field: Battlefield): Promise<string> => {
    const post = field.fleet.pick(field.random);
    const forMs = shortestMs + field.random.below(spanMs);
    post.proxy.mode = mode;
    await during(field, post, mode, forMs);
    post.proxy.mode = 'pass';
    // What was swallowed leaves a connection that waits for ever; a network would have it closed some day.
    if (mode !== 'refuse') post.proxy.cutAll();
    return `post ${post.number} for ${forMs} ms`;
  };
}

export const networkFaults: readonly FaultKind[] = [
  {
    ...{ name: 'reply lost', sphere, weight: 20 },
    async run({ stage, fleet, random }) {
      const post = fleet.pick(random);
      const arrival = 1 + random.below(6);
      const dropped = post.proxy.dropReplyTo('evalsha', arrival);
      await Promise.race([dropped, stage.pause(3_000)]);
      return `post ${post.number}, the ${arrival}th script`;
    },
  },
  { ...{ name: 'connections cut', sphere, weight: 6 }, run: cut },
  { ...{ name: 'partition below the TTL', sphere, weight: 4 }, run: modeFor('hole', 300, 1_200) },
  { ...{ name: 'partition above the TTL', sphere, weight: 5 }, run: modeFor('hole', 4_000, 4_000) },
  { ...{ name: 'replies swallowed', sphere, weight: 5 }, run: modeFor('half', 500, 6_000) },
  { ...{ name: 'connections refused', sphere, weight: 4 }, run: modeFor('refuse', 300, 6_000) },
  {
    ...{ name: 'slow network', sphere, weight: 4 },
    async run(field) {
      const post = field.fleet.pick(field.random);
      const delayMs = field.random.pick([50, 200, 500]);
      post.proxy.delayMs = delayMs;
      await during(field, post, 'slow', 1_000 + field.random.below(3_000));
      post.proxy.delayMs = 0;
      return `post ${post.number}, ${delayMs} ms each way`;
    },
  },
  {
    ...{ name: 'swizzle', sphere, weight: 1 },
    async run(field) {
      const posts = field.fleet.posts.filter(() => field.random.next() < 0.6);
      const back = posts.map((post) => async () => {
        post.proxy.mode = 'hole';
        await during(field, post, 'swizzle', 500 + field.random.below(4_000));
        post.proxy.mode = 'pass';
        post.proxy.cutAll();
      });
      await Promise.all(back.map((one) => one()));
      return `posts ${posts.map(({ number }) => number).join(' ')}`;
    },
  },
];

async function cut(field: Battlefield): Promise<string> {
  const post = field.fleet.pick(field.random);
  const times = field.random.pick([1, 1, 5, 15]);
  const { pid } = post.worker;
  field.stage.note('network', 'cut', pid);
  for (let time = 0; time < times; time += 1) {
    post.proxy.cutAll();
    await field.stage.pause(200);
  }
  field.stage.note('network-over', 'cut', pid);
  return `post ${post.number}, ${times} times`;
}
