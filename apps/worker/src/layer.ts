/**
 * One source of settings (the flags, the environment, a file), and how sources are laid over each other. A layer knows
 * what its settings are called there, so a message can name the flag or the variable that is wrong.
 */
import type { SettingPath } from './settings.js';

/** Settings as they were given: the shape of a Config, not yet judged. */
export type RawSettings = { readonly [key: string]: unknown };

export interface Layer {
  readonly settings: RawSettings;
  /** Where a setting of this layer was given: `flag --concurrency`, `TSQ_CONCURRENCY`, `config/tsq.yml`. */
  nameOf(path: string): string;
}

/** Lists are replaced as a whole, maps are merged. The first layer wins. */
export function merged(layers: readonly Layer[]): RawSettings {
  return layers.reduceRight<RawSettings>((below, layer) => overlaid(below, layer.settings), {});
}

export function valueAt(settings: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      (isMap(value) || Array.isArray(value)) && Object.hasOwn(value, key)
        ? Reflect.get(value, key)
        : undefined,
    settings,
  );
}

/** A layer's settings, from rows of path and value; a later row replaces an earlier one. */
export function settingsOf(rows: Iterable<readonly [SettingPath, unknown]>): RawSettings {
  let settings: RawSettings = {};
  for (const [path, value] of rows) settings = overlaid(settings, nested(path.split('.'), value));
  return settings;
}

export function isMap(value: unknown): value is RawSettings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nested(keys: readonly string[], value: unknown): RawSettings {
  const [first = '', ...rest] = keys;
  return { [first]: rest.length === 0 ? value : nested(rest, value) };
}

/** Lists are replaced as a whole, maps are merged. */
export function overlaid(below: RawSettings, above: RawSettings): RawSettings {
  const entries = Object.entries(above).map(([key, value]) => {
    const under = Object.hasOwn(below, key) ? below[key] : undefined;
    return [key, isMap(value) && isMap(under) ? overlaid(under, value) : value] as const;
  });
  return { ...below, ...Object.fromEntries(entries) };
}
