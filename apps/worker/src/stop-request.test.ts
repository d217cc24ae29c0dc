import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '@tsq/core';
import { eventually } from '@tsq/core/test-support';
import { StopRequest } from './stop-request.js';

describe('a stop', () => {
  test('asked for once waits until the timeout', async () => {
    const stop = new StopRequest(0.05, silentLogger);
    stop.stop('TERM');
    expect([stop.requested.aborted, stop.deadline.aborted]).toEqual([true, false]);
    await eventually(() => expect(stop.deadline.aborted).toBe(true));
    expect(stop.exitCode).toBe(0);
  });

  test('asked for twice does not wait', () => {
    const stop = new StopRequest(1_000, silentLogger);
    stop.stop('INT');
    stop.stop('TERM');
    expect(stop.deadline.aborted).toBe(true);
    expect(stop.exitCode).toBe(0);
    stop.close();
  });

  test('after a crash neither waits nor passes for a success', () => {
    const stop = new StopRequest(1_000, silentLogger);
    stop.crash();
    expect([stop.requested.aborted, stop.deadline.aborted, stop.exitCode]).toEqual([true, true, 1]);
  });
});
