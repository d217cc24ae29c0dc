/** Options as commander read them become one typed object, or an error that says which was expected to be what. */
import { describeValue, didYouMean, TsqError } from '@tsq/core';
import { z } from 'zod';

/** @throws TSQ_CONFIG_INVALID: one line for each wrong option */
export function checkedOptions<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path: [key], message }) => {
    const flag = String(key).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const got = describeValue((given as Record<string, unknown>)[String(key)]);
    return `flag --${flag}: expected ${message}, got ${got}`;
  });
  throw new TsqError('TSQ_CONFIG_INVALID', lines.join('\n'));
}

export function integerOption(least: number, most: number) {
  const error = `an integer from ${least} to ${most}`;
  return z.preprocess(toNumber, z.int({ error }).min(least, { error }).max(most, { error }));
}

export function numberOption(least: number, most: number) {
  const error = `a number from ${least} to ${most}`;
  return z.preprocess(toNumber, z.number({ error }).min(least, { error }).max(most, { error }));
}

/** Text that is no number stays what it is, for the message. */
function toNumber(text: unknown): unknown {
  return typeof text !== 'string' || text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

/** One of some words. */
export function wordOption<const W extends string>(words: readonly W[]) {
  return z.enum(words, {
    error: ({ input }) => `one of ${words.join(', ')}${didYouMean(String(input), words)}`,
  });
}
