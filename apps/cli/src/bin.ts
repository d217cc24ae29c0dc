/** What `tsq` runs. It ends the process itself, once what it had to say is written: no connection keeps it alive. */
import { main } from './main.js';

process.exit(await main(process.argv.slice(2)));
