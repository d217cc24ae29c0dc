/**
 * Payloads that break servers: bytes that JSON, JavaScript or Ruby each take for something else, and such as no Sidekiq
 * writes but somebody's script does. Each says what must become of it here.
 */
import { createHash } from 'node:crypto';

export interface Trap {
  readonly name: string;
  readonly bytes: Buffer;
  /** It runs, with args of this text; or it lies in `dead`, and the log says why. */
  readonly fate: { readonly runs: string } | { readonly diesOf: RegExp };
}

/** The class of each trap that can be run. */
export const trapClass = 'Trap';

/** Stands for a jid of each one's own: jobs of the same bytes share one entry of a set. */
const jid = '"jid":"JID"';
const ordinary = '"retry":true,"queue":"default","created_at":1795466562.4969463';

/** A job in all ways ordinary but for its args. Text of bytes: a character is a byte. */
function withArgs(name: string, args: string, runs = args): Trap {
  return trap(name, `{${ordinary},"args":${args},"class":"${trapClass}",${jid}}`, { runs });
}

/** A job in all ways ordinary but for further keys, or others than the ordinary. */
function withKeys(name: string, keys: string): Trap {
  return trap(name, `{"class":"${trapClass}","args":["k"],${keys}}`, { runs: '["k"]' });
}

function dying(name: string, text: string, diesOf: RegExp): Trap {
  return trap(name, text, { diesOf });
}

function trap(name: string, text: string, fate: Trap['fate']): Trap {
  const own = createHash('sha1').update(name).digest('hex').slice(0, 24);
  return { name, bytes: Buffer.from(text.replace(jid, `"jid":"${own}"`), 'latin1'), fate };
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

const tenMegabytes = 'x'.repeat(10 * 2 ** 20);
const nowSeconds = Math.floor(Date.now() / 1_000);

export const traps: readonly Trap[] = [
  withArgs('a number beyond all doubles', '[1E400,-1E400]'),
  withArgs('integers beyond 2^53', '[9007199254740993,-123456789012345678901234567890]'),
  withArgs('floats that JavaScript prints otherwise', '[1.0,-0.0,1e2,1.0e+20,1e-05,0.10]'),
  withArgs('bytes in a string that are no UTF-8', '["\xff\xfe caf\xe9",{"\xc3":1}]'),
  withArgs('half a surrogate pair as an escape', '["\\ud800",{"\\udfff":"\\uD83D"}]'),
  withArgs('half a surrogate pair as bytes', '["\xed\xa0\x80"]'),
  withArgs('a key __proto__', '[{"__proto__":{"isAdmin":true},"constructor":1,"toString":null}]'),
  withArgs('keys that JavaScript would sort', '[{"10":"a","2":"b","-1":"c"}]'),
  withArgs('keys that stand twice', '[{"a":1,"a":2}]'),
  withArgs('escapes and line separators', '["\\/\\u00e9\\u0000\xe2\x80\xa8\x7f"]'),
  withArgs('a hundred levels with the payload', nested(99)),
  withArgs('ten megabytes', `["${tenMegabytes}"]`),
  withArgs('white space of all kinds', ' [ 1 ,\t2\r\n]', '[ 1 ,\t2\r\n]'),
  withArgs('args that stand twice, the last of which count', '[1],"args":[2]', '[2]'),
  withKeys('no jid', ordinary),
  withKeys('a jid that is a number', `${ordinary},"jid":7`),
  withKeys('a jid that is null', `${ordinary},"jid":null`),
  withKeys('a jid with a quote, a line and a colon', `${ordinary},"jid":"a\\"\\n:b"`),
  withKeys('an empty jid', `${ordinary},"jid":""`),
  withKeys('no queue', `${jid},"retry":true`),
  withKeys('a queue that is a number', `${jid},"queue":7`),
  withKeys('an empty queue', `${jid},"queue":""`),
  withKeys('a key __proto__ beside the others', `${jid},"__proto__":{"queue":"other"}`),
  withKeys('a class that stands twice', `${jid},"class":"${trapClass}"`),
  withKeys('times in whole seconds', `${jid},"created_at":${nowSeconds},"enqueued_at":${nowSeconds}`),
  withKeys('a lifetime from whole seconds on', `${jid},"created_at":${nowSeconds},"expires_in":3600`),
  withKeys('times that are text', `${jid},"created_at":"2026-11-24T17:00:00Z","enqueued_at":"soon"`),
  withKeys('times that no calendar has', `${jid},"created_at":1e21,"enqueued_at":1E400`),
  withKeys('milliseconds with a fraction', `${jid},"created_at":1795466724527.0`),
  withKeys('an at in the past', `${jid},"at":1`),
  withKeys('an at in the year 5138', `${jid},"at":99999999999.5`),
  withKeys('an at that is text', `${jid},"at":"tomorrow"`),
  withKeys('a retry that is text', `${jid},"retry":"5"`),
  withKeys('a retry that is null, and a retry_count that is text', `${jid},"retry":null,"retry_count":"x"`),
  withKeys('tags that are none, and a lifetime that is none', `${jid},"tags":{"a":1},"expires_in":"1h"`),
  dying('no class', `{${ordinary},"args":[],${jid}}`, /"class" to be a string, got no such key/),
  dying('a class that is a number', `{"class":7,"args":[],${jid}}`, /"class" to be a string, got a number/),
  dying('a class that is null', `{"class":null,"args":[]}`, /"class" to be a string, got null/),
  dying('no args', `{"class":"${trapClass}",${jid}}`, /"args" to be an array, got no such key/),
  dying(
    'args that are an object',
    `{"class":"${trapClass}","args":{}}`,
    /"args" to be an array, got an object/,
  ),
  dying('ten thousand levels', `{"class":"${trapClass}","args":${nested(10_000)}}`, /at most 100 levels/),
  dying(
    'levels that nobody closes',
    `{"class":"${trapClass}","args":${'['.repeat(10_000)}`,
    /at most 100 levels/,
  ),
  dying('no JSON', '{not json', /a key in quotes at byte 1/),
  dying('half of a job', `{"class":"${trapClass}","args":[1`, /at byte 25, got the end/),
  dying('two jobs in one', `{"class":"${trapClass}","args":[]}{}`, /the end at byte 26, got "\{"/),
  dying('an array', `[{"class":"${trapClass}","args":[]}]`, /at byte 0/),
  dying('a byte order mark', `\xef\xbb\xbf{"class":"${trapClass}","args":[]}`, /at byte 0, got 0xef/),
  dying('nothing at all', '', /at byte 0, got the end/),
  dying('bytes that are no text', '\x00\x01\xff', /at byte 0, got 0x00/),
  dying('NaN', `{"class":"${trapClass}","args":[NaN]}`, /a JSON value at byte 24/),
];
