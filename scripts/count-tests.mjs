/**
 * Prints `PASSED FAILED` from the results that jest wrote: `node count-tests.mjs jest.json EXIT_CODE`. A file that failed
 * before its first test counts as one failure, and so does a run that failed without naming one, or left no results.
 */
import { existsSync, readFileSync } from 'node:fs';

const [, , file, exitCode] = process.argv;
const { passed, failed } = existsSync(file)
  ? count(JSON.parse(readFileSync(file, 'utf8')))
  : { passed: 0, failed: 1 };
const unexplained = exitCode !== '0' && failed === 0 ? 1 : 0;
console.log(`${passed} ${failed + unexplained}`);

function count({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
}
