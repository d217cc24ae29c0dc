/**
 * Refuses arguments that JSON or Ruby can't carry exactly, with the path of the first one.
 *
 * The good path allocates nothing: each step returns undefined, and only a refusal gathers its path, on its way back up.
 */
import { types } from 'node:util';
import { TsqError } from './errors.js';
import { maxNesting } from './exact-json.js';
import type { JsonValue } from './json.js';

/** The payload itself is the first level of what Ruby parses. */
const maxArgsNesting = maxNesting - 1;

interface Refusal {
  readonly expected: string;
  readonly got: string;
  readonly advice: string;
  /** From the innermost array or object outwards: it, and the key in it that leads to what is refused. */
  readonly steps: Step[];
  readonly isTooDeep: boolean;
}

interface Step {
  readonly holder: object;
  readonly key: string | number;
}

/**
 * Passes what JSON carries and Ruby's strict check accepts: null, booleans, finite numbers, BigInts, well-formed strings,
 * arrays, and objects without a class. An accessor is read once here and once when the job is written. A number beyond 2^53
 * passes as the float that it is; an exact integer of that size is a BigInt.
 * @throws TSQ_ARGS_INVALID: `args[1].due: expected ..., got ...; pass ...`
 */
export function checkArgs(args: unknown): asserts args is readonly JsonValue[] {
  const refusal = Array.isArray(args)
    ? refuseArray(args, 1)
    : refuse('an array of arguments', describe(args), 'put the arguments into [ ]');
  if (refusal !== undefined) throw errorOf(refusal);
}

function refuseValue(value: unknown, level: number): Refusal | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : refuseLoneSurrogate(value);
    case 'number':
      return Number.isFinite(value)
        ? undefined
        : refuse('a finite number', String(value), 'pass null or a string');
    case 'boolean':
    case 'bigint':
      return undefined;
    case 'object':
      if (value === null) return undefined;
      return Array.isArray(value) ? refuseArray(value, level) : refuseObject(value, level);
    default:
      return refuse('a JSON value', describe(value), adviceFor(value));
  }
}

function refuseArray(array: readonly unknown[], level: number): Refusal | undefined {
  if (level > maxArgsNesting) return refuseDepth();
  for (let index = 0; index < array.length; index += 1) {
    const refusal = refuseValue(array[index], level + 1);
    if (refusal !== undefined) return within(array, index, holeIn(array, index) ?? refusal);
  }
  return undefined;
}

function holeIn(array: readonly unknown[], index: number): Refusal | undefined {
  return index in array ? undefined : refuse('a JSON value', 'a hole', 'pass null');
}

function refuseObject(object: object, level: number): Refusal | undefined {
  if (level > maxArgsNesting) return refuseDepth();
  if (!isPlain(object)) return refuse('a plain object', describe(object), adviceFor(object));
  for (const key in object) {
    if (!Object.hasOwn(object, key)) continue;
    const refusal = key.isWellFormed()
      ? refuseValue((object as Record<string, unknown>)[key], level + 1)
      : refuseLoneSurrogate(key);
    if (refusal !== undefined) return within(object, key, refusal);
  }
  const [symbol] = Object.getOwnPropertySymbols(object);
  if (symbol === undefined) return undefined;
  return refuse('keys that are strings', `the key ${String(symbol)}`, 'take it away or make it a string');
}

/** An object literal, of this realm or another, or one without a prototype. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

function refuse(expected: string, got: string, advice: string): Refusal {
  return { expected, got, advice, steps: [], isTooDeep: false };
}

function refuseLoneSurrogate(text: string): Refusal {
  const index = [...text].findIndex((character) => !character.isWellFormed());
  const code = [...text][index]?.charCodeAt(0).toString(16);
  const got = `half a surrogate pair, \\u${code}, as character ${index}`;
  return refuse(
    'a string that UTF-8 can carry',
    got,
    'pass string.toWellFormed(), or do not cut inside a pair',
  );
}

function refuseDepth(): Refusal {
  const expected = `at most ${maxArgsNesting} levels of arrays and objects`;
  return { ...refuse(expected, 'one more', 'flatten it, or pass an id and load the rest'), isTooDeep: true };
}

function within(holder: object, key: string | number, refusal: Refusal): Refusal {
  refusal.steps.push({ holder, key });
  return refusal;
}

function errorOf(refusal: Refusal): TsqError {
  const steps = refusal.steps.toReversed();
  const loop = refusal.isTooDeep ? loopIn(steps) : undefined;
  if (loop !== undefined) {
    const message = `${pathOf(loop.steps)}: expected a tree, got ${pathOf(loop.seen)} again (circular); pass an id instead`;
    return new TsqError('TSQ_ARGS_INVALID', message);
  }
  const { expected, got, advice } = refusal;
  return new TsqError('TSQ_ARGS_INVALID', `${pathOf(steps)}: expected ${expected}, got ${got}; ${advice}`);
}

/** The way to the first object that stands within itself, and the way to where it stood first. */
function loopIn(steps: readonly Step[]): { readonly steps: Step[]; readonly seen: Step[] } | undefined {
  const seenAt = new Map<object, number>();
  for (const [index, { holder }] of steps.entries()) {
    const first = seenAt.get(holder);
    if (first !== undefined) return { steps: steps.slice(0, index), seen: steps.slice(0, first) };
    seenAt.set(holder, index);
  }
  return undefined;
}

function pathOf(steps: readonly Step[]): string {
  return `args${steps.map(({ key }) => pathStep(key)).join('')}`;
}

function pathStep(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'symbol') return `the symbol ${String(value)}`;
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object with a prototype';
}

/** What to pass instead. */
function adviceFor(value: unknown): string {
  if (value === undefined) return 'pass null';
  if (types.isDate(value)) return 'pass date.toISOString()';
  if (types.isMap(value)) return 'pass Object.fromEntries(map) or [...map]';
  if (types.isSet(value)) return 'pass [...set]';
  if (ArrayBuffer.isView(value)) return "pass Buffer.from(...).toString('base64')";
  if (typeof value === 'function' || typeof value === 'symbol') return 'pass its name or an id';
  return 'pass a plain object of what the job needs, or an id';
}
