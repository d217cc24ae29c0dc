/** What `tsq-worker` runs. It ends the process itself: what a job's code left open must not keep it alive. */
import { main } from './main.js';

process.exit(await main(process.argv.slice(2)));
