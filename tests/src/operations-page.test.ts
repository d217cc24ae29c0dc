/** docs/operations.md tells of each event and each counter what to do: whoever adds one is asked for a row. */
import { expect, test } from '@jest/globals';
import { silentLogger } from '@tsq/core';
import { ServerEvents } from '@tsq/worker';
import { readText } from './workspace.js';

const events = new ServerEvents(silentLogger);

const namesIn = (cell = '') => [...cell.matchAll(/`([\w-]+)`/g)].map(([, name]) => name);

/** The rows of the table of events: name, counters, when to alert, what to do. */
const rows = readText('docs/operations.md')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, event]) => events.names.some((name) => event === `\`${name}\``));

test('docs/operations.md has a row for each event, with an alert and what to do', () => {
  expect(rows.flatMap(([, event]) => namesIn(event)).toSorted()).toEqual([...events.names].toSorted());
  expect(rows.filter(([, , , alert, advice]) => !alert || !advice)).toEqual([]);
});

test('docs/operations.md names each counter beside its event', () => {
  const counters = Object.keys(events.counters).filter((name) => name !== 'listenerFailures');
  expect(rows.flatMap(([, , cell]) => namesIn(cell)).toSorted()).toEqual(counters.toSorted());
});

test('the README of tsq-worker lists each event and each counter', () => {
  const readme = readText('apps/worker/README.md');
  const all = [...events.names, ...Object.keys(events.counters)];
  expect(all.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
