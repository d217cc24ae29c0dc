/** tsq's producer: a few jobs at a time, to the queues and for later, until it is ended. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@tsq/core';
import type { Seeded } from '@tsq/core/test-support/outside-jest';
import { note } from './journal.js';
import type { Fate } from './workers.js';

const queues = ['default', 'low'] as const;
const fates: readonly Fate[] = [...Array<Fate>(16).fill('fine'), 'flaky', 'flaky', 'flaky', 'hopeless'];
/** What a careless server would change on the way. */
const ballast = [0.1, 1e20, 2n ** 70n, 'é<&>"\u2028', { b: [], '10': { a: null } }];
const roundMs = 100;
/** With the jobs of both producers more than Ruby's slots can do, so that both sides work. */
const longestMs = 200;

export interface ProducerSettings {
  readonly redisUrl: string;
  readonly jobsPerSecond: number;
  readonly journal: string;
  readonly random: Seeded;
}

/** Resolves once `end` has fired and every push was confirmed. */
export async function produce(settings: ProducerSettings, end: AbortSignal): Promise<void> {
  const client = new Client({ url: settings.redisUrl, deadlineMs: 30_000 });
  try {
    while (!end.aborted) {
      const count = Math.ceil((settings.jobsPerSecond * roundMs) / 1_000);
      await Promise.all(Array.from({ length: count }, () => push(client, settings)));
      await delay(roundMs);
    }
  } finally {
    await client.close();
  }
}

async function push(client: Client, { random, journal }: ProducerSettings): Promise<void> {
  const jid = Array.from({ length: 24 }, () => random.below(16).toString(16)).join('');
  const fate = random.pick(fates);
  const retry = fate === 'hopeless' ? 1 : 25;
  const chosen = client.with({ jid, queue: random.pick(queues), retry });
  const args = [fate, random.below(longestMs), ...ballast];
  note('push', jid, '-', journal);
  if (random.next() < 0.2) await chosen.enqueueIn(random.next() * 4, 'Soak::Job', args);
  else await chosen.enqueue('Soak::Job', args);
}
