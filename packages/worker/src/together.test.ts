import { describe, expect, test } from '@jest/globals';
import type { Component } from '@tsq/core';
import { itIsAComponent } from '@tsq/core/test-support';
import { Launcher } from './launcher.js';
import { Together } from './together.js';

const idle: Component = {
  name: 'idle',
  start: async () => undefined,
  quiet: async () => undefined,
  stop: async () => undefined,
};

describe('Together', () => {
  itIsAComponent(() => new Together('both', [new Launcher([idle]), new Launcher([idle])]));

  test('a stop does not wait for one before it tells the next, and gives all the same deadline', async () => {
    const deadlines: AbortSignal[] = [];
    const ends: (AbortSignal | undefined)[] = [];
    let letFirstEnd: () => void = () => undefined;
    const first = (deadline: AbortSignal, end?: AbortSignal) => {
      deadlines.push(deadline);
      ends.push(end);
      return new Promise<void>((resolve) => {
        letFirstEnd = resolve;
      });
    };
    const second = async (deadline: AbortSignal, end?: AbortSignal) => {
      deadlines.push(deadline);
      ends.push(end);
      letFirstEnd();
    };
    const [deadline, end] = [AbortSignal.abort(), AbortSignal.abort()];
    await new Together('both', [
      { ...idle, stop: first },
      { ...idle, stop: second },
    ]).stop(deadline, end);
    expect(deadlines).toEqual([deadline, deadline]);
    expect(ends).toEqual([end, end]);
  });

  test('rejects when one of them can not start', async () => {
    const broken = { ...idle, start: () => Promise.reject(new Error('no')) };
    await expect(new Together('both', [idle, broken]).start()).rejects.toThrow('no');
  });
});
