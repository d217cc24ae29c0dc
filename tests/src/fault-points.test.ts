/** The fault points: each name stands in the product, and what ships has no way to be armed. */
import { expect, test } from '@jest/globals';
import { faultNames, faultPoint } from '@tsq/core';
import { type Member, members, readText } from './workspace.js';

const shipped = members().filter(({ manifest }) => manifest.private !== true);

test('every fault point has a name of the list, and every name of the list stands in the product', () => {
  const placed = shipped.flatMap(productFiles).flatMap(({ path }) => pointsIn(readText(path)));
  expect([...new Set(placed)].toSorted()).toEqual([...faultNames].toSorted());
});

test('the armed fault points are among the files that are not packed, and only a condition of their own finds them', () => {
  const armed = shipped.flatMap(({ folder, manifest }) =>
    Object.values(manifest.imports ?? {}).flatMap((choices) =>
      Object.entries(choices).map(([condition, file]) => ({ folder, condition, file })),
    ),
  );
  expect(armed).toEqual([
    { folder: 'packages/core', condition: 'tsq-faults', file: './dist/test-support/armed-fault-point.js' },
    { folder: 'packages/core', condition: 'default', file: './dist/fault-point.js' },
  ]);
  const core = shipped.find(({ folder }) => folder === 'packages/core');
  expect(core?.manifest.files).toContain('!dist/test-support');
  expect(String(faultPoint).replace(/\/\/.*|\s/g, '')).toBe('functionfaultPoint(_name){}');
});

/** A point whose name is no literal would hide from the test above. */
test('a fault point is called with its name, and nothing else', () => {
  const calls = shipped
    .flatMap(productFiles)
    .flatMap(({ path }) => readText(path).match(/faultPoint\(.*/g) ?? []);
  expect(
    calls.filter((call) => !/^faultPoint\('[a-z.]+'\);$|^faultPoint\(_name: FaultName\)/.test(call)),
  ).toEqual([]);
});

function productFiles({ sources }: Member) {
  return sources.filter(({ path }) => !/\.test\.ts$|\/test-support\//.test(path));
}

function pointsIn(text: string): readonly string[] {
  return [...text.matchAll(/\bfaultPoint\('([^']+)'\)/g)].map(([, name]) => name ?? '');
}
