/** What the heartbeat's thread says of a stall: a line when it begins, a line when it ends, and the news for the main thread. */
import type { InstanceId } from '@tsq/tracker';
import type { FlightReader, JobInFlight } from './flight-reader.js';
import { type HeartbeatSettings, stallMsOf } from './settings.js';
import { type Stall, StallWatch } from './stall-watch.js';
import type { ThreadLog } from './thread-log.js';

export interface StallReportOptions extends HeartbeatSettings {
  readonly flight: FlightReader;
  readonly log: ThreadLog;
  readonly onBegin: () => void;
  /** It is longer than `stallTimeoutMs`. */
  readonly onGiveUp: () => void;
  readonly onEnd: (stall: Stall) => void;
}

export class StallReport {
  private watching: StallWatch | undefined;
  private instance: InstanceId | undefined;

  constructor(private readonly options: StallReportOptions) {}

  /** @param instance the id that beats from now on, as lines have it */
  watch(instance: InstanceId): void {
    this.instance = instance;
    const { flight } = this.options;
    const stallMs = stallMsOf(this.options);
    const onBegin = (stall: Stall) => this.begun(stall);
    const onGiveUp = (stall: Stall) => this.gaveUp(stall);
    const { stallTimeoutMs } = this.options;
    const onEnd = (stall: Stall) => this.ended(stall);
    this.watching ??= new StallWatch({ flight, stallMs, stallTimeoutMs, onBegin, onGiveUp, onEnd });
  }

  /** For how long the loop has not turned; 0 while there is no stall. */
  get stalledMs(): number {
    return this.watching?.stalledMs ?? 0;
  }

  end(): void {
    this.watching?.end();
  }

  private begun({ durationMs, jobs, jobsInFlight }: Stall): void {
    const { instance } = this;
    const seconds = inSeconds(durationMs);
    this.options.log.write(
      'warn',
      { instance, stalledMs: durationMs, jobs, jobsInFlight },
      `the event loop has not turned for ${seconds}: ${named(jobs)}. Beats go on, but no other job gets on`,
    );
    this.options.onBegin();
  }

  private gaveUp({ durationMs, jobs }: Stall): void {
    const { instance } = this;
    const { ttlMs } = this.options;
    this.options.log.write(
      'error',
      { instance, stalledMs: durationMs, ttlMs, jobs },
      `the event loop has not turned for ${inSeconds(durationMs)}: no more beats are sent, and after its TTL the others take this instance for dead`,
    );
    this.options.onGiveUp();
  }

  private ended(stall: Stall): void {
    const { instance } = this;
    const { durationMs, jobs } = stall;
    const fields = { instance, stalledMs: durationMs, jobs };
    this.options.log.write('warn', fields, `the event loop turns again after ${inSeconds(durationMs)}`);
    this.options.onEnd(stall);
  }
}

function named([first, ...others]: readonly JobInFlight[]): string {
  if (first === undefined) return 'no job runs, so it is other code of this process';
  const beside = others.length === 0 ? '' : `; or ${others.map(nameOf).join(', ')}`;
  return `most likely ${nameOf(first)} keeps it busy, for ${inSeconds(first.runningMs)} now${beside}`;
}

function nameOf({ class: name, jid }: JobInFlight): string {
  return jid === '' ? `${name} (no jid)` : `${name} ${jid}`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
