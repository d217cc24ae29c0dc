/** `pnpm model:redis`: the sequences of scripts.property.test.ts, by the thousand. */
import { describe, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import fc from 'fast-check';
import { sequences } from './run-sequences.js';

describe('the scripts', () => {
  const redis = useRedis();

  test.each(['tracked', 'all'] as const)(
    'do what the model does in 2,000 sequences of up to 60 steps: %s jobs',
    async (kind) => {
      await fc.assert(sequences(redis.connect(), { kind }), { numRuns: 2_000 });
    },
    3_600_000,
  );
});
