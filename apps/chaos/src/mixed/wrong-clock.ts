/**
 * Loaded into some workers before everything else, and into their threads: their host's clock is an hour or more off. Only Date
 * lies: the history is written by the monotonic clock.
 */
const offsetMs = Number(process.env.CHAOS_CLOCK_OFFSET_MS ?? 0);
const RealDate = Date;

class WrongDate extends RealDate {
  constructor(...args: readonly never[]) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...(args as unknown as [number]));
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

globalThis.Date = WrongDate as DateConstructor;
