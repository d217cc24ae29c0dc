import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { Config } from './config.js';
import { isMap } from './layer.js';
import { settings, variableOf } from './settings.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('settings', () => {
  test('each leaf of the Config has one row, so a flag or variable can reach it', () => {
    const leaves = leavesOf(z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any' }));
    expect(settings.map(({ path }) => path).sort()).toEqual(leaves.sort());
  });

  test('variables are named after the path', () => {
    expect(variableOf('heartbeat.ttlSeconds')).toBe('TSQ_HEARTBEAT_TTL_SECONDS');
    expect(new Set(settings.map(({ path }) => variableOf(path))).size).toBe(settings.length);
  });

  test('the README lists each with its variable and its flags', () => {
    for (const { path, flags, takes } of settings) {
      const row = readme.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${path}\``));
      const names = [...(takes === 'map' ? [] : [variableOf(path)]), ...flags.map(({ form }) => form)];
      expect([path, ...names.filter((name) => row?.includes(`\`${name}\``) !== true)]).toEqual([path]);
    }
  });
});

function leavesOf(schema: unknown, prefix = ''): string[] {
  if (!isMap(schema) || !isMap(schema.properties)) return [prefix];
  return Object.entries(schema.properties).flatMap(([key, inner]) =>
    leavesOf(inner, prefix === '' ? key : `${prefix}.${key}`),
  );
}
