/**
 * A model of what an edit must leave alone, for tests: one JSON object as its raw pieces of text. It shares no code with
 * the scanner under test, and it knows only texts that are JSON. A text is `latin1`: one character for each byte.
 */

/** All of it together, with commas between, is the object's inside. */
export interface MemberText {
  readonly lead: string;
  /** With its quotes and escapes. */
  readonly key: string;
  readonly colon: string;
  readonly value: string;
  readonly trail: string;
}

export interface ObjectText {
  readonly head: string;
  readonly members: readonly MemberText[];
  readonly tail: string;
}

const objectShape = /^([ \t\n\r]*)\{(.*)\}([ \t\n\r]*)$/s;
const memberShape = /^([ \t\n\r]*)("(?:[^"\\]|\\.)*")([ \t\n\r]*:[ \t\n\r]*)(.*?)([ \t\n\r]*)$/s;

/** @throws Error when the text is no JSON object, as far as this can see */
export function objectText(text: string): ObjectText {
  const [, head, inside, tail] = objectShape.exec(text) ?? [];
  if (head === undefined || inside === undefined || tail === undefined) throw new Error(`no object: ${text}`);
  return { head, members: splitAtCommas(inside).map(memberText), tail };
}

/** The name that a key's text spells. */
export function nameOf(key: string): string {
  return JSON.parse(Buffer.from(key, 'latin1').toString('utf8'));
}

/** Of the last member of this name: the one that counts. */
export function rawValue(object: ObjectText, name: string): string | undefined {
  return object.members.findLast((member) => nameOf(member.key) === name)?.value;
}

/**
 * What must stand there once the names of `set` have new values and those of `cut` are gone. A piece that is absent may be
 * anything: the values of `set`, and the white space beside a member that went.
 */
export function edited(before: ObjectText, set: readonly string[], cut: readonly string[]) {
  const names = before.members.map((member) => nameOf(member.key));
  const goes = (index: number) => {
    const name = names[index] ?? '';
    return cut.includes(name) || (set.includes(name) && names.lastIndexOf(name) !== index);
  };
  const stand = before.members.flatMap(({ lead, key, colon, value, trail }, index) => {
    if (goes(index)) return [];
    return {
      ...{ key, colon },
      ...(set.includes(names[index] ?? '') ? undefined : { value }),
      ...(goes(index - 1) ? undefined : { lead }),
      ...(goes(index + 1) ? undefined : { trail }),
    };
  });
  const added = set.filter((name) => !names.includes(name));
  const bare = added.map((name) => ({ lead: '', key: JSON.stringify(name), colon: ':', trail: '' }));
  return { head: before.head, members: [...stand, ...bare], tail: before.tail };
}

function splitAtCommas(inside: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const [token] of inside.matchAll(/"(?:[^"\\]|\\.)*"|[^"]/gs)) {
    if (token === '[' || token === '{') depth += 1;
    if (token === ']' || token === '}') depth -= 1;
    if (token === ',' && depth === 0) parts.push('');
    else parts.push((parts.pop() ?? '') + token);
  }
  return parts;
}

function memberText(part: string): MemberText {
  const [, lead, key, colon, value, trail] = memberShape.exec(part) ?? [];
  if (lead === undefined || key === undefined || colon === undefined) throw new Error(`no member: ${part}`);
  return { lead, key, colon, value: value ?? '', trail: trail ?? '' };
}
