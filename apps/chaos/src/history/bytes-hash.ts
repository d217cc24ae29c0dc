/**
 * What must not change of a job's bytes, whoever puts them back, retries or promotes them (S5): all but the fields that a retry
 * and a promotion are to write. It works on the text, for a JSON parser would pass over what it does not show.
 */
import { createHash } from 'node:crypto';

const editable = [
  ...['enqueued_at', 'retry_count', 'failed_at', 'retried_at', 'error_message', 'error_class'],
  'error_backtrace',
].join('|');
const editableField = new RegExp(`,?"(?:${editable})":(?:"(?:[^"\\\\]|\\\\.)*"|[^,}\\]"]+)`, 'g');
export function hashOf(bytes: Buffer): string {
  return shortHash(bytes.toString('latin1').replace(editableField, ''));
}

/** Of the args as they stand there: their producer knows them too. undefined: there are none. */
export function argsHashOf(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1');
  const at = text.indexOf('"args":[');
  return at < 0 ? undefined : shortHash(text.slice(at + 7, endOfArray(text, at + 7)));
}

/** @param json the args as their producer writes them, in UTF-8 */
export function hashOfArgs(json: string): string {
  return shortHash(Buffer.from(json, 'utf8').toString('latin1')); // the SHA-1 of the UTF-8 bytes, as Ruby's producer takes it
}

/** As far as it can be seen in the text. */
export function jidOf(bytes: Buffer): string | undefined {
  return /"jid":"([^"\\]{1,64})"/.exec(bytes.toString('latin1'))?.[1];
}

/** Behind the bracket that closes the one at `start`. */
function endOfArray(text: string, start: number): number {
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (isText && character === '\\') at += 1;
    else if (character === '"') isText = !isText;
    else if (!isText && character === '[') depth += 1;
    else if (!isText && character === ']') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function shortHash(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('hex').slice(0, 16);
}
