/** Scripts answer in words; here a reply becomes one of the words that its header lists. */
export function readWord<const W extends string>(reply: unknown, words: readonly W[]): W {
  const text = String(reply);
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw new Error(`expected ${words.join(' or ')} from a script, got ${text}`);
  return word;
}
