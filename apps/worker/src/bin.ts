/**
 * What `tsq-worker` runs. It ends the process itself: what a job's code left open must not keep it alive.
 *
 * Signals are heard from the first line on, before the rest is even loaded: process 1 of a container is not ended by a TERM
 * that it does not hear, and would take jobs until it is killed; and a TSTP would freeze any other.
 */
import { EarlySignals } from './early-signals.js';

const early = new EarlySignals();
const { main } = await import('./main.js');
const exitCode = main(process.argv.slice(2)); // listens itself before it returns
early.handOver();
process.exit(await exitCode);
