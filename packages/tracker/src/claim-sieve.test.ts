import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '@tsq/core';
import { useRedis } from '@tsq/core/test-support';
import { CancelledClaims } from './cancelled-claims.js';
import { readClaim } from './claim.js';
import { ClaimSieve } from './claim-sieve.js';
import { ClaimedUnit } from './claimed-unit.js';
import { Instance } from './instance.js';
import { Keyspace } from './keyspace.js';
import { Outbox } from './outbox.js';
import { Suspects } from './suspects.js';

describe('ClaimSieve', () => {
  const redis = useRedis();
  const keyspace = new Keyspace();

  test('S1: once quiet, a job of which it could not be seen whether it is a suspect goes back, and waits for nobody', async () => {
    const sieve = new ClaimSieve({
      logger: silentLogger,
      known: undefined,
      cancelled: new CancelledClaims(keyspace.namespace, silentLogger),
      suspects: new Suspects(keyspace, () => undefined),
    });
    const outbox = new Outbox({ onWaiting: () => undefined, onEnded: () => undefined });
    const claimed = readClaim([1, [], [], 0, [0, Buffer.from('one')], [0, Buffer.from('two')]], ['q']);
    if (claimed === 'unregistered') throw new Error('the reply names two jobs');
    const units = claimed.jobs.map((job) => new ClaimedUnit(new Instance('test').id, job, outbox));
    sieve.quiet();
    const unanswered = { error: new Error('the connection was closed') };
    await expect(sieve.sift(redis.connect(), units, claimed, unanswered)).rejects.toMatchObject({
      code: 'TSQ_REDIS_UNAVAILABLE',
    });
    expect(sieve.hasUnsifted(['q'])).toBe(false);
    const ends = outbox.take().flatMap((parcel) => parcel.ends);
    expect(ends.map(({ unit, outcome }) => [unit.bytes.toString(), outcome.kind])).toEqual([
      ['two', 'requeue'],
      ['one', 'requeue'],
    ]);
  });
});
