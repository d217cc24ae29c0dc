/** The no-op workers of the benchmark, on tsq's side: they count, and a timer writes the count out. */
import { openSync, writeSync } from 'node:fs';
import { Worker } from '@tsq/worker';

let count = 0;
const file = openSync(process.env.BENCH_COUNT ?? '/dev/null', 'w');
setInterval(() => writeSync(file, String(count), 0), 10).unref();

@Worker({ name: 'Noop' })
export class Noop {
  perform(_id: number, _name: string, _options: object): void {
    count += 1;
  }
}

@Worker({ name: 'TrackedNoop', tracked: true })
export class TrackedNoop {
  perform(_id: number, _name: string, _options: object): void {
    count += 1;
  }
}
