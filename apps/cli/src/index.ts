/** What tsq shows: a name that isn't here is ours to change. */
export { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.js';
export { main } from './main.js';
