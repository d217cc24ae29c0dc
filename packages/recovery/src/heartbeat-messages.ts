/** What the heartbeat's thread and its owner tell each other: plain data, as it crosses threads. */
import type { ConnectionNews, RedisLocation } from '@tsq/core';
import type { InstanceId } from '@tsq/tracker';
import type { BeatMode } from './beat.js';
import type { FlightSource } from './flight-recorder.js';
import type { HeartbeatSettings } from './settings.js';
import type { Stall } from './stall-watch.js';
import type { ThreadLogSource } from './thread-log.js';

/** What a thread is born with. It waits for its first order. */
export interface ThreadSettings extends HeartbeatSettings {
  readonly location: RedisLocation;
  readonly namespace: string;
  readonly flight: FlightSource;
  readonly threadLog: ThreadLogSource | undefined;
}

export type Order =
  /** Beat for this id from now on, and no more for the one before. */
  | { readonly kind: 'beat'; readonly id: InstanceId; readonly mode: BeatMode }
  /** Do not wait for the interval to end: beat for the present id now. */
  | { readonly kind: 'beat-now' }
  /** The flight memory uses one more number, for this id. */
  | { readonly kind: 'owner'; readonly id: string }
  /** Stop beating, take leave of Redis, and end. */
  | { readonly kind: 'retire' };

/** A beat that did not go through when it was due. */
export interface MissedBeat {
  readonly instance: InstanceId;
  /** `failed`: Redis was away, or refused it. `late`: this process, or its host, stood still, or Redis was slow. */
  readonly reason: 'failed' | 'late';
  /** Since the last beat that went through; undefined when there was none. */
  readonly sinceBeatMs: number | undefined;
  /** After so long without a beat the others take this instance for dead. */
  readonly ttlMs: number;
  /** What Redis answered, or the connection threw; undefined for a late one. */
  readonly error: string | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type News =
  /** Ready for orders; Redis has heard nothing yet. */
  | { readonly kind: 'awake' }
  /** It has taken leave, and may be ended. */
  | { readonly kind: 'retired' }
  | { readonly kind: 'beat' | 'lapsed'; readonly id: InstanceId }
  | { readonly kind: 'connection'; readonly news: ConnectionNews }
  | { readonly kind: 'missed'; readonly beat: MissedBeat }
  /** A stall is over; what began it was said in the log. */
  | { readonly kind: 'stall'; readonly stall: Stall }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly fields: object;
      readonly message: string;
    };
