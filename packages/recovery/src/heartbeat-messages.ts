/** What the heartbeat's thread and its owner tell each other: plain data, as it crosses threads. */
import type { RedisLocation } from '@tsq/core';
import type { InstanceId } from '@tsq/tracker';
import type { BeatMode } from './beat.js';

/** What a thread is born with. */
export interface ThreadSettings {
  readonly location: RedisLocation;
  readonly namespace: string;
  readonly id: InstanceId;
  /** `renew`: a thread before this one may have registered the id. */
  readonly firstBeat: BeatMode;
  readonly intervalMs: number;
  readonly ttlMs: number;
}

export type Order =
  /** The id before has lapsed: beat for this one from now on. */
  | { readonly kind: 'register'; readonly id: InstanceId }
  /** Stop beating, take leave of Redis, and end. */
  | { readonly kind: 'retire' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type News =
  | { readonly kind: 'beat' | 'lapsed'; readonly id: InstanceId }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly fields: object;
      readonly message: string;
    };
