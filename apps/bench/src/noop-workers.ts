/** The workers of the benchmarks, on tsq's side. */
import { openSync, writeSync } from 'node:fs';
import { Worker } from '@tsq/worker';
import { countJob } from './count.js';

const latencies = openSync(process.env.BENCH_LATENCIES ?? '/dev/null', 'a');

@Worker({ name: 'Noop' })
export class Noop {
  perform(_id: number, _name: string, _options: object): void {
    countJob();
  }
}

@Worker({ name: 'TrackedNoop', tracked: true })
export class TrackedNoop {
  perform(_id: number, _name: string, _options: object): void {
    countJob();
  }
}

@Worker({ name: 'Started' })
export class Started {
  perform(sentAtMicroseconds: number): void {
    writeSync(latencies, `${Number(process.hrtime.bigint() / 1_000n) - sentAtMicroseconds}\n`);
  }
}
