/** What the heartbeat's thread and its owner tell each other: plain data, as it crosses threads. */
import type { ConnectionNews, RedisLocation } from '@tsq/core';
import type { InstanceId } from '@tsq/tracker';
import type { BeatMode } from './beat.js';

/** What a thread is born with. It waits for its first order. */
export interface ThreadSettings {
  readonly location: RedisLocation;
  readonly namespace: string;
  readonly intervalMs: number;
  readonly ttlMs: number;
}

export type Order =
  /** Beat for this id from now on, and no more for the one before. */
  | { readonly kind: 'beat'; readonly id: InstanceId; readonly mode: BeatMode }
  /** Do not wait for the interval to end: beat for the present id now. */
  | { readonly kind: 'beat-now' }
  /** Stop beating, take leave of Redis, and end. */
  | { readonly kind: 'retire' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type News =
  /** Ready for orders; Redis has heard nothing yet. */
  | { readonly kind: 'awake' }
  /** It has taken leave, and may be ended. */
  | { readonly kind: 'retired' }
  | { readonly kind: 'beat' | 'lapsed'; readonly id: InstanceId }
  | { readonly kind: 'connection'; readonly news: ConnectionNews }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly fields: object;
      readonly message: string;
    };
