/**
 * What went otherwise than planned, counted for as long as the process lives. One tally for the whole Processor: each count
 * goes up in one place, where the job ends so (job-ending.ts) or where Redis has answered (settlement.ts).
 */

/** What went otherwise than planned, since the start. */
export interface ProcessorCounts {
  /** Bytes that could not be read: in the dead set. */
  readonly unreadable: number;
  /** Jobs that needed what tsq does not have: they wait in `retry`, their own count unchanged. */
  readonly refused: number;
  /** Not run, because their `expires_in` was over. */
  readonly expired: number;
  /** Ended because somebody had cancelled them. */
  readonly cancelled: number;
  /** Another instance owned the job by the time it ended here. */
  readonly lost: number;
  /** It is not known whether Redis heard of the outcome. */
  readonly unknown: number;
}

export type ProcessorTally = { -readonly [Count in keyof ProcessorCounts]: number };

export function emptyTally(): ProcessorTally {
  return { unreadable: 0, refused: 0, expired: 0, cancelled: 0, lost: 0, unknown: 0 };
}
