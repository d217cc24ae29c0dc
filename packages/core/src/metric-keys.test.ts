import { describe, expect, test } from '@jest/globals';
import { marksKey, metricsForms } from './metric-keys.js';

const { sidekiq7, sidekiq8 } = metricsForms;
const late = new Date('2026-11-23T20:45:59.999Z');
const early = new Date('2026-01-03T04:07:00Z');

describe("Sidekiq 7's keys of metrics", () => {
  test('a minute: neither the hour nor the minute is padded', () => {
    expect(sidekiq7.minute(late)).toBe('j|20261123|20:45');
    expect(sidekiq7.minute(early)).toBe('j|20260103|4:7');
    expect(sidekiq7.minute(new Date('2026-11-23T20:04:00Z'))).toBe('j|20261123|20:4');
  });

  test('a histogram: day and hour are padded, the minute is not', () => {
    expect(sidekiq7.histogram('OkJob', late)).toBe('OkJob-23-20:45');
    expect(sidekiq7.histogram('OkJob', early)).toBe('OkJob-03-04:7');
  });
});

describe("Sidekiq 8's keys of metrics", () => {
  test('a minute: the year has two digits, and the minute is padded', () => {
    expect(sidekiq8.minute(late)).toBe('j|261123|20:45');
    expect(sidekiq8.minute(early)).toBe('j|260103|4:07');
  });

  test('ten minutes: the same without its last digit', () => {
    expect(sidekiq8.tenMinutes?.(late)).toBe('j|261123|20:4');
    expect(sidekiq8.tenMinutes?.(early)).toBe('j|260103|4:0');
  });

  test('a histogram: nothing is padded', () => {
    expect(sidekiq8.histogram('OkJob', late)).toBe('h|OkJob-23-20:45');
    expect(sidekiq8.histogram('OkJob', early)).toBe('h|OkJob-3-4:7');
  });
});

test("the key of a day's deploy marks has the whole year", () => {
  expect(marksKey(late)).toBe('20261123-marks');
});
