/**
 * What a program adds to the runtime before it starts. A worker file says it by an export of this name:
 * `export const configureServer: ConfigureServer = (server) => { server.middleware.add('timing', …) }`.
 */
import { type Job, type Logger, MiddlewareChain, silentLogger } from '@tsq/core';
import type { FailureHandler } from './failure-handlers.js';
import type { PoisonHandler } from './poison-handlers.js';
import { ServerEvents } from './server-events.js';
import { TrackingSetup } from './tracking-setup.js';

export class ServerSetup {
  /** Around `perform`; the first is the outermost. The tracking comes last, innermost, by itself. */
  readonly middleware = new MiddlewareChain<Job, void>();
  /** Hear of every failure, once its outcome was handed over. */
  readonly errorHandlers: FailureHandler[] = [];
  /** Hear of jobs that will not be retried, once Redis has confirmed it. */
  readonly deathHandlers: FailureHandler[] = [];
  /** Hear of poison jobs, in the process that found the last dead one. */
  readonly onPoison: PoisonHandler[] = [];
  /** Which jobs are tracked. */
  readonly tracking = new TrackingSetup();
  /** Heartbeats missed, instances dead, jobs recovered or lost: for metrics and alerts. */
  readonly events: ServerEvents;

  /** @param logger for what a listener throws */
  constructor(logger: Logger = silentLogger) {
    this.events = new ServerEvents(logger);
  }
}

export type ConfigureServer = (server: ServerSetup) => void | Promise<void>;
