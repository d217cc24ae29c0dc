/**
 * What the Launcher starts and stops. The contract is tested by one suite for all who sign it:
 * `itIsAComponent` of @tsq/core/test-support.
 */

/** It lives once; each call may come twice, too early, or while another is under way. */
export interface Component {
  readonly name: string;
  /** Resolves once it works; rejects, with nothing left behind, when it can't, and after stop: TSQ_COMPONENT_STOPPED. */
  start(): Promise<void>;
  /** Takes no new work; what runs goes on. */
  quiet(): Promise<void>;
  /**
   * Waits for what runs until `deadline` aborts, then leaves no timer, socket or promise. What is still to be said to Redis
   * then is said until `end` aborts; without one, for a moment of its own. Never rejects.
   */
  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void>;
}
