/** The command line, read by commander: a layer of settings, and what is not a setting (which file; help; version). */
import { Command, CommanderError, Option } from 'commander';
import { type Layer, settingsOf } from './layer.js';
import { type Flag, numberOrText, type Setting, type SettingPath, settings } from './settings.js';

/** What the command line asks for. `end`: commander has already said what there was to say. */
export type CommandLine =
  | { readonly kind: 'run'; readonly flags: Layer; readonly configFile: string | undefined }
  | { readonly kind: 'end'; readonly outcome: 'answered' | 'refused' };

const description = `Runs TypeScript workers on the Redis that a Sidekiq fleet uses.

Each setting can stand in tsq.yml and in a TSQ_* variable too; flags win over variables, variables over the file.`;

/** @param args without node and the script */
export function readCommandLine(args: readonly string[], version: string): CommandLine {
  const given = new Map<SettingPath, { readonly value: unknown; readonly name: string }>();
  const command = new Command('tsq-worker')
    .description(description)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('-C, --config <file>', 'tsq.yml, or a sidekiq.yml; default: the first found of tsq.yml, config/…')
    .showSuggestionAfterError()
    .exitOverride();
  for (const setting of settings) {
    for (const flag of setting.flags) {
      const option = new Option(flag.form, flag.about ?? setting.about);
      command.addOption(option);
      command.on(`option:${option.name()}`, (text: string | null) => {
        const before = given.get(setting.path)?.value;
        given.set(setting.path, {
          value: accepted(setting, flag, text, before),
          name: `flag ${option.long}`,
        });
      });
    }
  }
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: 'end', outcome: error.exitCode === 0 ? 'answered' : 'refused' };
  }
  const { config } = command.opts<{ config?: string }>();
  const flags: Layer = {
    settings: settingsOf([...given].map(([path, { value }]) => [path, value] as const)),
    nameOf: (path) => [...given].find(([known]) => path.startsWith(known))?.[1].name ?? 'the flags',
  };
  return { kind: 'run', flags, configFile: config };
}

function accepted(setting: Setting, flag: Flag, text: string | null, before: unknown): unknown {
  if (flag.sets !== undefined || text === null) return flag.sets;
  if (setting.takes === 'list') return [...(Array.isArray(before) ? before : []), text];
  return setting.takes === 'number' ? numberOrText(text) : text;
}
