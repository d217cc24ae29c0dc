import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

/** A user's file: decorated class, Ruby name, schema, job on the instance. */
const source = `
import { defineWorker, maybeCurrentJob, Worker, WorkerRegistry } from '@tsq/worker';
import type { Job } from '@tsq/core';
import { z } from 'zod';

@Worker({ name: 'Images::Resize', queue: 'images', args: z.tuple([z.string(), z.int()]) })
export class ResizeImage {
  declare readonly job: Job;
  private readonly before = 'set in the constructor';
  perform(url: string, width: number): string {
    return [url, width, this.job.jid, this.before].join(' ');
  }
}

@Worker()
export class Plain {
  perform(): void {}
}

export const fn = defineWorker('Fn', async (id: number) => id);

const registry = new WorkerRegistry([ResizeImage, Plain, fn]);
const job = { jid: 'j1' } as Job;
const worker = registry.find('Images::Resize');
console.log(JSON.stringify({
  names: registry.names,
  options: worker.options.queue,
  result: worker.perform(job, worker.checkArgs(['u', 1])),
  outside: maybeCurrentJob() === undefined,
}));
`;

/** It must not compile: the schema gives a number. */
const wrong = `
import { Worker } from '@tsq/worker';
import { z } from 'zod';

@Worker({ args: z.tuple([z.int()]) })
export class Wrong {
  perform(id: string): void {}
}
`;

describe.each([
  ['standard decorators', {}],
  [
    'experimentalDecorators, as NestJS has them',
    { experimentalDecorators: true, emitDecoratorMetadata: true },
  ],
])('@Worker compiled by tsc with %s', (_name, compilerOptions) => {
  test('makes workers that run, and a perform that the schema does not fit is the only error', () => {
    // Inside of the package, so that its own name and its dependencies are found.
    const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), 'decorator-modes-'));
    try {
      writeFileSync(join(folder, 'workers.mts'), source);
      writeFileSync(join(folder, 'wrong.mts'), wrong);
      const complaints = compile(folder, ['workers.mts', 'wrong.mts'], compilerOptions);
      expect(complaints.match(/error TS/g)).toHaveLength(1);
      expect(complaints).toMatch(/wrong\.mts.*error/);
      const printed = execFileSync(process.execPath, [join(folder, 'workers.mjs')], { encoding: 'utf8' });
      expect(JSON.parse(printed)).toEqual({
        names: ['Images::Resize', 'Plain', 'Fn'],
        options: 'images',
        result: 'u 1 j1 set in the constructor',
        outside: true,
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** @returns what tsc complains of */
function compile(folder: string, files: readonly string[], compilerOptions: object): string {
  const config = {
    compilerOptions: {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      types: ['node'],
      skipLibCheck: true,
      ...compilerOptions,
    },
    files,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = join(dirname(typescript), 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' }).stdout;
}
