/** The workers of the benchmarks, on tsq's side. The no-ops count, and a timer writes the count out. */
import { openSync, writeSync } from 'node:fs';
import { Worker } from '@tsq/worker';

let count = 0;
const file = openSync(process.env.BENCH_COUNT ?? '/dev/null', 'w');
const latencies = openSync(process.env.BENCH_LATENCIES ?? '/dev/null', 'a');
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

@Worker({ name: 'Started' })
export class Started {
  perform(sentAtMicroseconds: number): void {
    writeSync(latencies, `${Number(process.hrtime.bigint() / 1_000n) - sentAtMicroseconds}\n`);
  }
}
