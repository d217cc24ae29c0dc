/**
 * Nobody can read the log any more: its disk is full, or who read it went away. That must cost lines of the log and no job, and
 * what it costs is counted.
 */
import type { Row } from '../row.js';
import { declaredDead, ended, must, same, seen } from './seen.js';

/** POSIX sh, which becomes the worker. stderr stays the stage's file. */
const diskFull = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
/** Reads one character, and goes. */
const fifo = 'd=$(mktemp -d); mkfifo "$d/p"; (head -c 1 "$d/p"; rm -r "$d") > /dev/null &';
const readerGone = ['sh', '-c', `${fifo} exec "$@" > "$d/p"`, 'sh'];
/** Neither log nor stderr. */
const allGone = ['sh', '-c', 'exec "$@" > /dev/full 2>&1', 'sh'];

export const row: Row = {
  number: 29,
  fault: 'the disk of the log is full, its reader is gone, stderr with it',
  holds: ['S1', 'S4'],
  async run(stage) {
    const redis = stage.connect(await stage.redis());
    const wraps = [diskFull, readerGone, allGone];
    const workers = await Promise.all(
      wraps.map((wrap) => stage.worker({ wrap, until: 'spawned', concurrency: 4 })),
    );
    await stage.eventually(async () => same(await redis.scard('tsq:instances'), workers.length, 'instances'));
    const client = stage.client();
    const jids = [
      ...(await client.enqueueMany(90, 'Chaos::Tracked', [40])),
      ...(await client.enqueueMany(10, 'Chaos::Failing', [10, 1])),
    ];
    await ended(stage, jids);
    for (const { pid } of workers) {
      must(
        jids.some((jid) => seen(stage, 'end', jid, pid).length > 0),
        `${pid} has ended no job`,
      );
    }
    await stage.drained();
    same(declaredDead(stage), [], 'instances declared dead');
    const report = await stage.verify();
    same([report.jobs, report.done], [jids.length, jids.length], 'jobs, and jobs done');
    same(
      workers.map(({ ending }) => ending),
      [0, 0, 0],
      'exit codes',
    );

    const [full, gone] = workers.map(({ log }) => log);
    must(
      /stdout can't be written \(ENOSPC.*\); log lines are dropped/.test(full ?? ''),
      `of the full disk it says: ${full}`,
    );
    must(/nobody reads stdout any more/.test(gone ?? ''), `of the reader that went it says: ${gone}`);
    for (const text of [full, gone]) {
      const [, dropped] = /(\d+) log lines could not be written/.exec(text ?? '') ?? [];
      must(Number(dropped) > 30, `expected the count of what was dropped, got: ${text}`);
    }
  },
};
