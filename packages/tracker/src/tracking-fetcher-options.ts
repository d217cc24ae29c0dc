/** What a TrackingFetcher is told, and what it counts: the part of it that others see. */
import type { ConnectionReporter, DeadSetLimits, Logger, RedisLocation } from '@tsq/core';
import type { Instance } from './instance.js';
import type { Keyspace } from './keyspace.js';
import type { OnlyKnown } from './known-claim.js';
import type { LostClaimListener } from './lost-claim.js';

export interface TrackingFetcherOptions {
  readonly location: RedisLocation;
  readonly instance: Instance;
  readonly keyspace?: Keyspace;
  readonly dead?: DeadSetLimits;
  readonly logger?: Logger;
  /** Who speaks for all the connections of the process. Default: each connection for itself. */
  readonly report?: ConnectionReporter;
  /** How long the end of a claim waits for a claim to ride on. Default 2. */
  readonly flushAfterMs?: number;
  /** A call without an answer for so long has an unknown outcome. Default 5000. */
  readonly commandTimeoutMs?: number;
  /** Between two tries to write outcomes whose target key holds another type. Default 5000. */
  readonly retryBlockedAfterMs?: number;
  /** Called when a claim was refused, because Redis does not know the instance: only a beat can change that. */
  readonly onUnregistered?: () => void;
  /** Called for each claim that is another's by now, once its job has been told: this instance was declared dead. */
  readonly onLost?: LostClaimListener;
  /** Take only jobs of these classes, and leave the others to who else works on the queues. Default: take all. */
  readonly onlyKnown?: OnlyKnown;
}

/** Since the start of the process. */
export interface TrackingCounts {
  /** Claims that were gone when they were to be settled, or at a beat. */
  readonly lost: number;
  /** Claims that Redis had noted, but whose reply never came. */
  readonly adopted: number;
  /** Outcomes of unknown fate that were not sent again: requeues of released jobs, and what a stop could not send. */
  readonly unconfirmed: number;
  /** Jobs that were cancelled while they waited, and dropped when they came up. */
  readonly cancelled: number;
}
