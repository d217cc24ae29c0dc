import { describe, expect, test } from '@jest/globals';
import { type Component, type Logger, silentLogger } from '@tsq/core';
import { itIsAComponent } from '@tsq/core/test-support';
import { Launcher } from './launcher.js';

/** Components that note what is asked of them. */
function parts(names: readonly string[], override: Readonly<Record<string, Partial<Component>>> = {}) {
  const calls: string[] = [];
  const components = names.map((name): Component => {
    const note = (call: string) => async () => void calls.push(`${call} ${name}`);
    return { name, start: note('start'), quiet: note('quiet'), stop: note('stop'), ...override[name] };
  });
  return { calls, components };
}

const noDeadline = new AbortController().signal;

describe('Launcher', () => {
  itIsAComponent(() => new Launcher(parts(['a', 'b']).components));

  test('starts in order, quiets all before it stops any, and stops in reverse', async () => {
    const { calls, components } = parts(['a', 'b', 'c']);
    const launcher = new Launcher(components);
    await launcher.start();
    await launcher.stop(noDeadline);
    expect(calls.slice(0, 3)).toEqual(['start a', 'start b', 'start c']);
    expect(calls.slice(3, 6).toSorted()).toEqual(['quiet a', 'quiet b', 'quiet c']);
    expect(calls.slice(6)).toEqual(['stop c', 'stop b', 'stop a']);
  });

  test('a start that fails midway stops those that run, and rejects with its reason', async () => {
    const failing = { start: () => Promise.reject(new Error('b is out of order')) };
    const { calls, components } = parts(['a', 'b', 'c'], { b: failing });
    const launcher = new Launcher(components);
    await expect(launcher.start()).rejects.toThrow('b is out of order');
    expect(calls).not.toContain('start c');
    expect(calls).toContain('stop a');
    await expect(launcher.start()).rejects.toMatchObject({ code: 'TSQ_COMPONENT_STOPPED' });
  });

  test('a stop ends a start that would wait for ever, and starts nothing more', async () => {
    let giveUp: (error: Error) => void = () => undefined;
    const waiting = {
      start: () =>
        new Promise<void>((_resolve, reject) => {
          giveUp = reject;
        }),
      stop: async () => giveUp(new Error('stopped while it started')),
    };
    const { calls, components } = parts(['a', 'b', 'c'], { b: waiting });
    const launcher = new Launcher(components);
    const starting = launcher.start();
    const stopped = launcher.stop(noDeadline);
    await expect(starting).rejects.toThrow();
    await stopped;
    expect(calls).not.toContain('start c');
    expect(calls).toContain('stop a');
  });

  test('a component that fails to stop does not keep the others from it', async () => {
    const failures: object[] = [];
    const logger: Logger = { ...silentLogger, error: (fields) => void failures.push(fields) };
    const broken = {
      stop: () => Promise.reject(new Error('no')),
      quiet: () => Promise.reject(new Error('no')),
    };
    const { calls, components } = parts(['a', 'b'], { b: broken });
    const launcher = new Launcher(components, logger);
    await launcher.start();
    await launcher.stop(noDeadline);
    expect(calls).toContain('stop a');
    expect(failures).toEqual([
      expect.objectContaining({ component: 'b', step: 'quiet' }),
      expect.objectContaining({ component: 'b', step: 'stop' }),
    ]);
  });

  test('all share one deadline, and the earliest of several calls counts', async () => {
    const deadlines: AbortSignal[] = [];
    const patient = {
      stop: (deadline: AbortSignal) => {
        deadlines.push(deadline);
        return new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve()));
      },
    };
    const { calls, components } = parts(['a', 'b'], { b: patient });
    const launcher = new Launcher(components);
    await launcher.start();
    const stopped = launcher.stop(noDeadline);
    const hurry = new AbortController();
    void launcher.stop(hurry.signal);
    hurry.abort();
    await stopped;
    expect(deadlines[0]?.aborted).toBe(true);
    expect(calls).toContain('stop a');
  });
});
