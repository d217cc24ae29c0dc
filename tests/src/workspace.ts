/** What the rules look at: the members of the workspace, their manifests and their source files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParsedSource, parseSource } from './parsed-source.js';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly license?: string;
  readonly description?: string;
  readonly files?: readonly string[];
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  /** Names of its own, `#name`, that are chosen by a condition. */
  readonly imports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface SourceFile extends ParsedSource {
  /** From the repository's root: `packages/core/src/keys.ts`. */
  readonly path: string;
}

export interface Member {
  /** From the repository's root: `packages/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly sources: readonly SourceFile[];
}

/** `packages/*` and `apps/*`: what the rules are about. The rules' own member is not among them. */
export function members(): readonly Member[] {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(repository, group))
      .map((name) => `${group}/${name}`)
      .filter((folder) => existsSync(join(repository, folder, 'package.json')))
      .map(readMember),
  );
}

/** Paths from the repository's root; what was installed or built is left out. */
export function filesUnder(folder: string, extension: string): readonly string[] {
  return readdirSync(join(repository, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesUnder(path, extension);
    return entry.name.endsWith(extension) ? [path] : [];
  });
}

export function readText(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

const skipped: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.turbo', 'coverage']);

function readMember(folder: string): Member {
  const manifest: Manifest = JSON.parse(readText(`${folder}/package.json`));
  const sources = filesUnder(`${folder}/src`, '.ts').map((path) => ({
    path,
    ...parseSource(path, readText(path)),
  }));
  return { folder, manifest, sources };
}
