/**
 * Who may import whom. `worker` and `tracker` do not know each other: they meet at contracts in `core`, so the runtime
 * runs without the tracker. A rule returns a sentence for each violation, so that the test's failure says what to do.
 */
import { dirname, join } from 'node:path';
import type { Manifest, Member, SourceFile } from './workspace.js';

/** A new package adds its line here, and its reason to docs/decisions. Apps are not listed: they may import any package. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  '@tsq/core': [],
  '@tsq/worker': ['@tsq/core'],
  '@tsq/tracker': ['@tsq/core'],
  '@tsq/recovery': ['@tsq/core', '@tsq/tracker'],
};

/** A name of ours that a manifest lists without importing it: the demo and the drill start the command. */
const commandsOnly: ReadonlySet<string> = new Set(['tsq-worker']);

/** Where tsq asks the environment. Private members (demo, bench) do not ship: they ask as a user's program does. */
const environmentReader = /^apps\/(worker\/src\/(config|environment)|cli\/src\/environment)\.ts$/;

export function importViolations(members: readonly Member[]): readonly string[] {
  const byName = new Map(members.map((member) => [member.manifest.name, member]));
  return members.flatMap((member) => [
    ...manifestViolations(member, byName),
    ...member.sources.flatMap((source) => sourceViolations(source, member, byName)),
    ...cyclesAmong(member.sources),
  ]);
}

function manifestViolations(member: Member, byName: ReadonlyMap<string, Member>): readonly string[] {
  const file = `${member.folder}/package.json`;
  return Object.keys(member.manifest.dependencies ?? {})
    .filter((name) => byName.has(name) && !commandsOnly.has(name) && !mayImport(member, name, byName))
    .map((name) => `${file}: ${member.manifest.name} may not depend on ${name}`);
}

function sourceViolations(source: SourceFile, member: Member, byName: ReadonlyMap<string, Member>) {
  const problems = source.imports.map(({ specifier }) => {
    if (specifier.startsWith('.')) return relativeProblem(specifier, source, member);
    if (specifier.startsWith('#')) return ownNameProblem(specifier, member);
    const name = packageOf(specifier);
    const target = byName.get(name);
    if (target === undefined) return foreignProblem(name, source, member.manifest);
    return houseProblem(specifier, target, source, member, byName);
  });
  if (source.readsEnvironment && !mayReadEnvironment(source, member)) {
    problems.push('reads process.env; only the configuration of the commands does: take a setting instead');
  }
  return problems.filter((problem) => problem !== undefined).map((problem) => `${source.path}: ${problem}`);
}

function relativeProblem(specifier: string, source: SourceFile, member: Member): string | undefined {
  const target = join(dirname(source.path), specifier);
  if (!target.startsWith(`${member.folder}/`))
    return `${specifier} leaves the package; import its public names`;
  if (isForTests(target) && !isForTests(source.path)) return `${specifier} is for tests, and not packed`;
  return undefined;
}

function ownNameProblem(specifier: string, member: Member): string | undefined {
  return member.manifest.imports?.[specifier] === undefined
    ? `${specifier} is not in the imports of package.json`
    : undefined;
}

function foreignProblem(name: string, source: SourceFile, manifest: Manifest): string | undefined {
  if (name.startsWith('node:') || manifest.dependencies?.[name] !== undefined) return undefined;
  if (manifest.devDependencies?.[name] === undefined) return `${name} is not in package.json`;
  return isForTests(source.path) ? undefined : `${name} is a devDependency: users do not get it`;
}

function houseProblem(
  specifier: string,
  target: Member,
  source: SourceFile,
  member: Member,
  byName: ReadonlyMap<string, Member>,
): string | undefined {
  const { name, exports } = target.manifest;
  if (!mayImport(member, name, byName)) return `${member.manifest.name} may not import ${name}`;
  if (exports?.[`.${specifier.slice(name.length)}`] === undefined)
    return `${specifier} is an inside of ${name}`;
  if (specifier.includes('/test-support') && !mayUseTestSupport(specifier, source, member)) {
    return `${specifier} is for tests`;
  }
  const { dependencies, devDependencies } = member.manifest;
  const declared = dependencies?.[name] ?? (isForTests(source.path) ? devDependencies?.[name] : undefined);
  return declared === undefined ? `${name} is not in the dependencies of package.json` : undefined;
}

function mayImport(member: Member, name: string, byName: ReadonlyMap<string, Member>): boolean {
  if (member.folder.startsWith('apps/')) return byName.get(name)?.folder.startsWith('packages/') ?? false;
  return allowed[member.manifest.name]?.includes(name) ?? false;
}

/** Files that import each other in a circle while the program loads; a circle of types alone is none. */
function cyclesAmong(sources: readonly SourceFile[]): readonly string[] {
  const targets = new Map(sources.map((source) => [source.path, valueTargets(source)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push(`a circle of imports: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}

function valueTargets(source: SourceFile): readonly string[] {
  return source.imports
    .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
    .map(({ specifier }) => join(dirname(source.path), specifier).replace(/\.js$/, '.ts'));
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isForTests(path: string): boolean {
  return /\.test\.[jt]s$|\/test-support\//.test(path);
}

/** A private member (bench, chaos) does not ship: it may use what of the test support runs without jest. */
function mayUseTestSupport(specifier: string, source: SourceFile, member: Member): boolean {
  if (isForTests(source.path)) return true;
  return member.manifest.private === true && specifier.endsWith('/outside-jest');
}

function mayReadEnvironment(source: SourceFile, member: Member): boolean {
  return member.manifest.private === true || isForTests(source.path) || environmentReader.test(source.path);
}
