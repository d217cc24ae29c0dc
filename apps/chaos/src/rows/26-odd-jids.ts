/**
 * Row 26: a jid twice in flight, in one process and in two, and jids that are no names: with a colon, empty, missing, a number, a
 * megabyte long. Both processes are killed with all of them in hand, and each job comes back once, with its own bytes.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { accountByBytes, pushRaw, tokensOf } from './by-bytes.js';
import { same } from './seen.js';

const job = (n: number, jid: string) =>
  Buffer.from(`{"class":"Chaos::Tracked","args":[2500,${n}]${jid},"retry":true,"queue":"default"}`);

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const odd = [
    ',"jid":"a:b:c"',
    ',"jid":""',
    '',
    ',"jid":12345',
    `,"jid":"${'j'.repeat(2 ** 20)}"`,
    ',"jid":null',
  ];
  const jobs = [
    ...[1, 2, 3, 4].map((n) => job(n, ',"jid":"twice"')),
    ...odd.map((jid, index) => job(10 + index, jid)),
  ];
  const half = Math.ceil(jobs.length / 2);
  // Each process is given its share by itself; two of the doubled jid go to each.
  const shares = [jobs.filter((_, index) => index % 2 === 0), jobs.filter((_, index) => index % 2 === 1)];
  const victims = [];
  for (const share of shares) {
    await pushRaw(stage, 'default', share);
    victims.push(await stage.worker({ concurrency: half }));
    await allBegun(stage, share);
  }
  await Promise.all(victims.map((victim) => victim.kill()));

  await stage.worker({ concurrency: jobs.length });
  await stage.drained();
  const fates = await accountByBytes(stage, jobs);
  same(
    fates.map(({ ends }) => ends),
    jobs.map(() => 1),
    'ends of each job',
  );
}

/** By the token of its claim, for the jid does not tell them apart. */
async function allBegun(stage: Stage, jobs: readonly Buffer[]): Promise<void> {
  await stage.eventually(() => {
    const started = new Set(stage.lines().flatMap((line) => (line.event === 'start' ? [line.token] : [])));
    const waiting = jobs.filter((bytes) => !tokensOf(stage, bytes).some((token) => started.has(token)));
    same(waiting.length, 0, 'jobs that have not begun');
  });
}

export const row: Row = {
  number: 26,
  fault: 'one jid twice in flight, and jids that are no names, and kills with all of them in hand',
  holds: ['S1', 'S2', 'S5', 'L3'],
  run,
};
