/** What the observer writes of a real worker's calls is what happened: the scripts' arguments and replies are read as they are. */
import { afterEach, expect, test } from '@jest/globals';
import { Stage } from '../stage/stage.js';

let stage: Stage;

afterEach(() => stage.close('passed'));

const lines = <E extends string>(event: E) =>
  stage.lines().filter((line): line is Extract<typeof line, { event: E }> => line.event === event);

test('claims, ends, a death and a recovery of a real worker are written down, each with the tokens of the runs', async () => {
  stage = new Stage(2);
  await stage.redis();
  const client = stage.client();
  const first = await stage.worker({ flags: ['-t', '0.5'] });
  const failing = await client.enqueue('Chaos::Failing', [1, 1]);
  const untracked = await client.enqueue('Chaos::Untracked', [1]);
  await stage.drained();
  const stopped = await client.enqueue('Chaos::Heeding', [3_000]);
  await stage.eventually(() => expect(lines('start').map(({ jid }) => jid)).toContain(stopped));
  expect(await first.stop()).toBe(0);

  const killed = await stage.worker();
  await stage.eventually(() =>
    expect(lines('start').filter(({ jid, pid }) => jid === stopped && pid === killed.pid)).toHaveLength(1),
  );
  await killed.kill();
  await stage.worker();
  await stage.drained();
  await stage.verify();

  const tokensOf = (jid: string) => lines('start').flatMap((run) => (run.jid === jid ? [run.token] : []));
  const claimed = lines('claim').flatMap(({ owner, jobs }) => jobs.map((job) => ({ owner, ...job })));
  for (const jid of [failing, untracked, stopped]) {
    const own = claimed.filter((job) => job.jid === jid);
    expect(own.map(({ token }) => token)).toEqual(tokensOf(jid));
    expect(new Set(own.map(({ hash }) => hash)).size).toBe(1);
    expect(new Set(own.map(({ args }) => args))).toEqual(
      new Set(lines('enq').flatMap((line) => (line.jid === jid ? [line.args] : []))),
    );
  }
  // The first call of a script is refused, NOSCRIPT, and sent again with its text.
  const answered = new Set(lines('settle-answered').map(({ pid, call }) => `${pid} ${call}`));
  const kindsOf = (jid: string) =>
    lines('settle-sent').flatMap(({ ends, pid, call }) =>
      ends.flatMap(({ token, kind }) =>
        answered.has(`${pid} ${call}`) && tokensOf(jid).includes(token) ? [kind] : [],
      ),
    );
  expect(kindsOf(failing)).toEqual(['retry', 'ended']);
  expect(kindsOf(untracked)).toEqual(['ended']);
  expect(kindsOf(stopped)).toEqual(['requeue', 'ended']);
  expect(
    lines('settle-answered').every(({ registered, notHeld }) => registered && notHeld.length === 0),
  ).toBe(true);
  const recovered = lines('recover-answered').filter(({ answer }) => answer === 'dead');
  expect(new Set(recovered.map(({ owner }) => owner))).toEqual(
    new Set(claimed.flatMap(({ owner, token }) => (token === tokensOf(stopped)[1] ? [owner] : []))),
  );
  expect(recovered.reduce((sum, { putBack }) => sum + putBack, 0)).toBe(1);
  expect(recovered.filter(({ declared }) => declared)).toHaveLength(1);
  expect(lines('registered')).toHaveLength(3);
  expect(lines('retired')).toHaveLength(2);
}, 120_000);
