/**
 * Row 25: bytes that are no job, amid ten that are, in one batch: with the process killed as soon as it has claimed them, and then
 * with one that looks at them. What can be read runs or fails as a job; the rest goes to `dead` as it is.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { accountByBytes, endsOf, pushRaw } from './by-bytes.js';
import { must, same } from './seen.js';

const good = (n: number) =>
  Buffer.from(`{"class":"Chaos::Tracked","args":[50,${n}],"jid":"good-${n}","retry":true,"queue":"default"}`);
/** Nobody can read them: they are in `dead` at the end, byte for byte. */
const unreadable: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['no end', Buffer.from('{"class":"Chaos::Tracked","args":[50')],
  ['no JSON at all', Buffer.from('good morning')],
  ['nothing', Buffer.alloc(0)],
  ['no object', Buffer.from('["Chaos::Tracked",[50]]')],
  ['a raw NUL', Buffer.from('{"class":"Chaos::Tracked","args":["\0"],"jid":"nul"}')],
];
/** It is for the runtime to say what becomes of them, but each stays one job. */
const odd: readonly (readonly [what: string, bytes: Buffer])[] = [
  [
    'invalid UTF-8',
    Buffer.concat([
      Buffer.from('{"class":"Chaos::Tracked","args":[50,"'),
      Buffer.from([0xff, 0xfe, 0x80]),
      Buffer.from('"],"jid":"utf8"}'),
    ]),
  ],
  ['a number beyond doubles', Buffer.from('{"class":"Chaos::Tracked","args":[50,1E400],"jid":"huge"}')],
  [
    'deep nesting',
    Buffer.from(
      `{"class":"Chaos::Tracked","args":[50,${'['.repeat(10_000)}${']'.repeat(10_000)}],"jid":"deep"}`,
    ),
  ],
  ['a lone surrogate', Buffer.from('{"class":"Chaos::Tracked","args":[50,"\\ud800"],"jid":"lone"}')],
  ['an escaped NUL', Buffer.from('{"class":"Chaos::Tracked","args":[50,"\\u0000"],"jid":"escaped"}')],
  ['no class', Buffer.from('{"args":[50],"jid":"classless"}')],
];

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const before = Array.from({ length: 5 }, (_, n) => good(n));
  const after = Array.from({ length: 5 }, (_, n) => good(5 + n));
  const bad = [...unreadable, ...odd].map(([, bytes]) => bytes);
  const all = [...before, ...bad, ...after];
  await pushRaw(stage, 'default', all);

  const concurrency = all.length;
  const victim = await stage.worker({ concurrency, fault: 'claim.after:kill', until: 'spawned' });
  same(await victim.ended(), 'SIGKILL', 'how the process ended that was to be killed behind its claim');
  same(await stage.connect().llen('queue:default'), 0, 'jobs that were not in the batch');
  await stage.worker({ concurrency });
  await stage.eventually(() => {
    const missing = [...before, ...after].filter((bytes) => endsOf(stage, bytes) === 0);
    same(missing.length, 0, 'good jobs that have not ended');
  });
  await stage.eventually(async () => {
    const redis = stage.connect();
    same(
      [await redis.llen('queue:default'), (await redis.keys('tsq:jobs:*')).length],
      [0, 0],
      'queued, held',
    );
  });

  const fates = await accountByBytes(stage, all);
  const fateOf = (bytes: Buffer) => fates[all.indexOf(bytes)];
  for (const bytes of [...before, ...after]) same(fateOf(bytes)?.ends, 1, 'ends of a good job');
  const dead = await stage.connect().zrangeBuffer('dead', '0', '-1');
  for (const [what, bytes] of unreadable) {
    same(fateOf(bytes)?.places, ['dead'], `where bytes with ${what} are`);
    must(
      dead.some((entry) => entry.equals(bytes)),
      `expected bytes with ${what} in dead as they came`,
    );
  }
}

export const row: Row = {
  number: 25,
  fault: 'bytes that are no job amid a batch of ten good ones, and a kill behind the claim',
  holds: ['S1', 'S5', 'L3'],
  run,
};
