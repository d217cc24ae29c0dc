/**
 * Finds and reads the configuration file: tsq's own (tsq.yml, the Config's names) or Sidekiq's (its names, translated by
 * sidekiq-file.ts).
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { TsqError } from '@tsq/core';
import { parseDocument } from 'yaml';
import { errorCodeOf } from './error-code.js';
import { isMap, type Layer, type RawSettings } from './layer.js';
import { looksLikeSidekiqs, sidekiqSettings } from './sidekiq-file.js';

/** Where a file is looked for when none is named, first found. */
const searched = ['tsq.yml', 'config/tsq.yml', 'config/sidekiq.yml', 'config/sidekiq.yml.erb'] as const;

export interface ConfigFile {
  /** As it is named in messages: relative to the working folder where it was found by search. */
  readonly name: string;
  readonly content: RawSettings;
  readonly kind: 'tsq' | 'sidekiq';
  readonly warnings: readonly string[];
}

/**
 * @param named what -C or TSQ_CONFIG says; it must exist. Without it the search may end with `undefined`.
 * @throws TSQ_CONFIG_UNREADABLE when a named file is absent; TSQ_CONFIG_INVALID when it is not YAML with settings
 */
export function readConfigFile(named: string | undefined, folder: string): ConfigFile | undefined {
  const name = named ?? searched.find((candidate) => isFile(join(folder, candidate)));
  if (name === undefined) return undefined;
  const text = readText(name, folder);
  refuseErb(name, text);
  const { content, warnings } = parseYaml(name, text);
  const kind = /sidekiq/i.test(basename(name)) || looksLikeSidekiqs(content) ? 'sidekiq' : 'tsq';
  return { name, content, kind, warnings };
}

/** @param environment whose section of a sidekiq.yml counts */
export function layerOf(
  file: ConfigFile,
  environment: string,
): { layer: Layer; warnings: readonly string[] } {
  const nameOf = () => file.name;
  if (file.kind === 'tsq') return { layer: { settings: file.content, nameOf }, warnings: file.warnings };
  const { settings, warnings } = sidekiqSettings(file.content, environment);
  const told = warnings.map((warning) => `${file.name}: ${warning}`);
  return { layer: { settings, nameOf }, warnings: [...file.warnings, ...told] };
}

function readText(name: string, folder: string): string {
  try {
    return readFileSync(resolve(folder, name), 'utf8');
  } catch (error) {
    const why = errorCodeOf(error) === 'ENOENT' ? 'no such file' : String(error);
    throw new TsqError('TSQ_CONFIG_UNREADABLE', `${name}: ${why} (looked in ${folder})`, { cause: error });
  }
}

function parseYaml(name: string, text: string): { content: RawSettings; warnings: readonly string[] } {
  // 1.1 is what Ruby's parser reads: `yes` is true, `<<` merges.
  const document = parseDocument(text, { version: '1.1', prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new TsqError('TSQ_CONFIG_INVALID', `${name} is not YAML: ${error.message}`, { cause: error });
  }
  const content: unknown = document.toJS() ?? {};
  if (!isMap(content)) {
    const got = Array.isArray(content) ? 'a list' : `the ${typeof content} ${JSON.stringify(content)}`;
    throw new TsqError('TSQ_CONFIG_INVALID', `${name}: expected settings ("concurrency: 10"), got ${got}`);
  }
  return { content, warnings: document.warnings.map((warning) => `${name}: ${warning.message}`) };
}

/** Ruby runs what stands between the tags; guessing at it would start a worker with settings that nobody wrote. */
function refuseErb(name: string, text: string): void {
  const index = text.split('\n').findIndex((line) => /<%/.test(line) && !/^\s*#/.test(line));
  if (index < 0) return;
  throw new TsqError(
    'TSQ_CONFIG_INVALID',
    `${name}, line ${index + 1}: an ERB tag (<% … %>), which only Ruby can run. Write the value itself, or leave the ` +
      'line out and set the value by a flag or a variable (TSQ_CONCURRENCY, …); a tsq.yml goes before a sidekiq.yml',
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
