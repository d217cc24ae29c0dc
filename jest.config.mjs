/**
 * Tests run on what `tsc -b` built: the files that ship, with their threads and scripts beside them. No transform, no
 * module map, so nothing passes here that would fail for a user.
 */
export default {
  testEnvironment: 'node',
  transform: {},
  testMatch: [
    '<rootDir>/packages/*/dist/**/*.test.js',
    '<rootDir>/apps/*/dist/**/*.test.js',
    '<rootDir>/tests/dist/**/*.test.js',
  ],
  testTimeout: 30_000,
  // Tests wait more than they compute: for heartbeats to run out, for processes to start. One for each core but one, jest's
  // choice, leaves a machine of two cores idle half of the time.
  maxWorkers: 2,
};
