/**
 * `pnpm bench:recorder`: what it costs a job that the heartbeat's thread can name it. Per job, in nanoseconds: the recorder's
 * two calls, and beside them what a job needs in any case, one parse of its payload.
 */
import { Payload } from '@tsq/core';
import { Heartbeat } from '@tsq/recovery';
import { Instance } from '@tsq/tracker';

const jobs = 2_000_000;
const text =
  '{"retry":true,"queue":"default","args":[1,"x",{"a":1}],"class":"Noop","jid":"0123456789abcdef01234567","created_at":1795466809.99,"enqueued_at":1795466809.99}';
const pool = Buffer.from(text.repeat(100));
const payloads = Array.from({ length: 100 }, (_, index) =>
  pool.subarray(index * text.length, (index + 1) * text.length),
);
const instance = new Instance('bench');
const { recorder } = new Heartbeat({ location: { url: 'redis://localhost' }, instance }); // never started

function nanosecondsPerJob(run: (bytes: Buffer) => void): number {
  const begin = performance.now();
  for (let job = 0; job < jobs; job += 1) run(payloads[job % payloads.length] ?? pool);
  return Math.round(((performance.now() - begin) / jobs) * 1e6);
}

const owner = instance.id;
const record = (bytes: Buffer) => {
  const unit = { bytes, owner, batch: 7, index: 3 };
  recorder.ended(recorder.began({ unit, jid: '', displayClass: '', beganAtMs: 0 }));
};
const parse = (bytes: Buffer) => {
  Payload.parse(bytes);
};
for (const round of [1, 2, 3]) {
  console.log(
    `round ${round}  record ${nanosecondsPerJob(record)} ns/job   parse ${nanosecondsPerJob(parse)} ns/job`,
  );
}
