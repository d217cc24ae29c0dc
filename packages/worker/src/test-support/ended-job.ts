/** A job that ended, as far as metrics look at it. */
import { Payload } from '@tsq/core';

export function endedJob(name: string, durationMs = 1, more: object = {}) {
  const payload = Payload.parse(Buffer.from(JSON.stringify({ class: name, args: [], ...more })));
  return { class: name, payload, durationMs };
}
