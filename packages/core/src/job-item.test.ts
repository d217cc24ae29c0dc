import { describe, expect, test } from '@jest/globals';
import type { ClientJob } from './client-middleware.js';
import type { EnqueueOptions } from './enqueue-options.js';
import { checkJob, checkJobArgs, dueAtSeconds, dueInSeconds, newJob } from './job-item.js';

const definition = { name: 'X', options: {} };

/** What a caller without types, or a middleware, can make of a job. */
function job(changes: Partial<Record<keyof ClientJob, unknown>>): ClientJob {
  return { ...newJob(definition, {}, [], 'jid', undefined), ...changes } as ClientJob;
}

describe('a job that Sidekiq would refuse', () => {
  test.each<[string, Partial<Record<keyof ClientJob, unknown>>, RegExp]>([
    ['a class that is no string', { class: 5 }, /^class of a job: expected a string .*, got 5$/],
    ['a class without a name', { class: '' }, /^class of a job: expected a string .*, got ''$/],
    ['an empty queue', { queue: '' }, /^queue of a job of 'X': expected .*, got ''$/],
    ['a queue with a line break', { queue: 'a\nb' }, /got 'a\\nb'$/],
    ['a queue with half a character', { queue: '\ud800' }, /^queue/],
    ['a jid that is no string', { jid: 5 }, /^jid/],
    [
      'a retry that is a string',
      { retry: '5' },
      /^retry of .*: expected true, false or an integer .*, got '5'$/,
    ],
    ['a negative retry', { retry: -1 }, /got -1$/],
    ['a retry with a fraction', { retry: 1.5 }, /got 1\.5$/],
    ['a retry that is null', { retry: null }, /got null$/],
    ['a retryFor above 1e9', { retryFor: 2e9 }, /^retryFor .*1000000000, got 2000000000$/],
    ['an expiresIn of 0', { expiresIn: 0 }, /^expiresIn .*expected seconds, more than 0 .*, got 0$/],
    ['an expiresIn that is a moment', { expiresIn: 1.8e9 }, /^expiresIn .*at most 1000000000/],
    [
      'a logLevel that is none',
      { logLevel: 'loud' },
      /^logLevel .*debug, info, warn, error, fatal, got 'loud'$/,
    ],
    ['a custom expiry', { custom: { expiry: 5 } }, /the option expiresIn/],
    ['a retryQueue that is empty', { retryQueue: '' }, /^retryQueue/],
    ['a backtrace that is a string', { backtrace: 'yes' }, /^backtrace/],
    ['a dead that is a number', { dead: 0 }, /^dead .*expected true or false, got 0$/],
    ['a tracked that is a string', { tracked: 'yes' }, /^tracked/],
    ['tags that are a string', { tags: 'a' }, /^tags .*expected an array of strings, got 'a'$/],
    ['a tag that is a number', { tags: ['a', 5] }, /got \[ 'a', 5 \]$/],
    [
      'a time that is a string',
      { at: '1' },
      /^time of a job: expected a Date or a finite number of seconds, got '1'$/,
    ],
    ['a time that is not finite', { at: Number.POSITIVE_INFINITY }, /^time/],
    ['a custom key with an option of its own', { custom: { retry_queue: 'x' } }, /the option retryQueue/],
    ['a custom key that the client writes', { custom: { created_at: 1 } }, /the client does not write/],
  ])('%s', (_, changes, message) => {
    expect(() => checkJob(job(changes))).toThrow(
      expect.objectContaining({ code: 'TSQ_JOB_INVALID', message: expect.stringMatching(message) }),
    );
  });

  test('a custom value that JSON can not carry is refused by its path', () => {
    expect(() => checkJob(job({ custom: { meta: { due: new Date() } } }))).toThrow(
      expect.objectContaining({
        code: 'TSQ_ARGS_INVALID',
        message: expect.stringContaining('custom.meta.due'),
      }),
    );
  });

  test('args that are no array', () => {
    expect(() => checkJobArgs(definition, { 0: 'a' })).toThrow(
      expect.objectContaining({ code: 'TSQ_JOB_INVALID' }),
    );
  });

  test('args that JSON can not carry', () => {
    expect(() => checkJobArgs(definition, ['a', { due: undefined }])).toThrow(
      expect.objectContaining({
        code: 'TSQ_ARGS_INVALID',
        message: expect.stringContaining('args[1].due'),
      }),
    );
  });
});

describe('a job that Sidekiq takes', () => {
  test.each<EnqueueOptions>([
    { retry: 0, backtrace: 0, retryFor: 0 },
    { expiresIn: 0.5, logLevel: 'fatal' },
    { retry: 5, backtrace: 20, retryFor: 1e9 },
    { queue: 'a:b|c-Ü', jid: 'any string', tags: [] },
    { custom: { cattr: { user: null }, constructor: 1, __proto__: { inherited: 1 } } },
  ])('%j', (options) => {
    expect(() => checkJob(newJob(definition, options, [], 'jid', undefined))).not.toThrow();
  });
});

describe('a time', () => {
  test('milliseconds are refused with what to do, for as seconds they lie 50 000 years ahead', () => {
    expect(() => dueAtSeconds(Date.now())).toThrow(
      expect.objectContaining({ code: 'TSQ_JOB_INVALID', message: expect.stringContaining('pass a Date') }),
    );
  });

  test('a Date that is none, and a delay that is none, are refused', () => {
    expect(() => dueAtSeconds(new Date('never'))).toThrow(
      expect.objectContaining({ code: 'TSQ_JOB_INVALID' }),
    );
    expect(() => dueInSeconds(Number.NaN)).toThrow(expect.objectContaining({ code: 'TSQ_JOB_INVALID' }));
  });
});
