import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@tsq/core/test-support';
import { FlightReader } from './flight-reader.js';
import { FlightRecorder } from './flight-recorder.js';
import { MemoryAlarm } from './memory-alarm.js';

describe('the alarm for memory', () => {
  const running: { end(): void }[] = [];
  afterEach(() => {
    for (const each of running.splice(0)) each.end();
  });

  test('rings once when the memory comes near to its limit, and again after it was far from it', async () => {
    const flight = new FlightReader(new FlightRecorder(250).source);
    const asked: number[] = [];
    let factor = 2;
    let rung = 0;
    const ring = () => {
      rung += 1;
    };
    const limit = () => {
      asked.push(factor);
      return process.memoryUsage.rss() * factor;
    };
    running.push(new MemoryAlarm(flight, ring, limit));
    const lookedTwiceWith = async (next: number) => {
      factor = next;
      await eventually(() => expect(asked.filter((each) => each === next).length).toBeGreaterThan(1));
      asked.length = 0;
    };
    await lookedTwiceWith(2);
    expect(rung).toBe(0);
    await lookedTwiceWith(1.05);
    expect(rung).toBe(1);
    await lookedTwiceWith(3);
    await lookedTwiceWith(1.06);
    expect(rung).toBe(2);
  });
});
