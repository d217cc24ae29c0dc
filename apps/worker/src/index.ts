/** What tsq-worker shows: a name that isn't here is ours to change. */
export { Config } from './config.js';
export { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.js';
export { main } from './main.js';
export { runWorker, type StartedFrom } from './run-worker.js';
