import { describe, expect, test } from '@jest/globals';
import { Payload } from './payload.js';

const parse = (text: string) => Payload.parse(Buffer.from(text));
const minimal = '{"class":"A","args":[]}';
const codeOf = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

/** As Sidekiq's client and server wrote them. */
const captured = {
  v6: '{"retry":true,"queue":"default","args":[1,1.0,1.0e+20,1.0e+16,0.1,123456789012345678901234567890,null,true,{"b":[],"a":{}},"é\u2028<>&/\\"\\\\\\u0001\u007f"],"class":"OkJob","jid":"4be907bd80d98464f53e1846","created_at":1795466562.4969463,"enqueued_at":1795466562.4972026}',
  v8: '{"retry":true,"queue":"low","tags":["a"],"custom":1,"args":[],"class":"OkJob","jid":"0f3141f620ccc0d70aba7c5f","created_at":1795466724529,"enqueued_at":1795466724529}',
  scheduled:
    '{"retry":true,"queue":"default","class":"OkJob","args":["later"],"jid":"2374d066066e50e8834d4ea2","created_at":1795466564.358515}',
  foreign:
    '{"retry":null,"queue":"default","class":"Foreign::Job","args":[1],"jid":"030d821b34eebb37ba75ba48","created_at":1795466564.359537,"enqueued_at":1795466564.3595467}',
  failed:
    '{"retry":5,"queue":"low","retry_queue":"low","args":[1,1.0],"class":"FailRQ","jid":"d1d7370b93435cb84f6c3645","created_at":1795466808493,"enqueued_at":1795466828120,"error_message":"rq","error_class":"RuntimeError","failed_at":1795466808899,"retry_count":1,"retried_at":1795466828121}',
};

describe('Payload reads', () => {
  test('a payload of Sidekiq 6.4 gives its class, jid, and args exactly', () => {
    const payload = parse(captured.v6);
    expect(payload.class).toBe('OkJob');
    expect(payload.jid).toBe('4be907bd80d98464f53e1846');
    expect(payload.args()).toEqual([
      1,
      1,
      1e20,
      1e16,
      0.1,
      123456789012345678901234567890n,
      null,
      true,
      { b: [], a: {} },
      'é\u2028<>&/"\\\u0001\u007f',
    ]);
    expect(payload.value('retry')).toBe(true);
    expect(payload.raw('created_at')?.toString()).toBe('1795466562.4969463');
  });

  test('payloads of Sidekiq 7 and 8, scheduled, foreign and failed ones give their fields', () => {
    expect(parse(captured.v8).value('tags')).toEqual(['a']);
    expect(parse(captured.v8).integer('created_at')).toBe(1795466724529);
    expect(parse(captured.scheduled).args()).toEqual(['later']);
    expect(parse(captured.foreign).class).toBe('Foreign::Job');
    expect(parse(captured.foreign).value('retry')).toBeNull();
    const failed = parse(captured.failed);
    expect(failed.integer('retry')).toBe(5);
    expect(failed.integer('retry_count')).toBe(1);
    expect(failed.string('error_message')).toBe('rq');
    expect(failed.args()).toEqual([1, 1]);
  });

  test('of a key that occurs twice the last counts, and a key may be written with escapes', () => {
    const payload = parse('{"class":"A","args":[],"x":1,"cl\\u0061ss":"B","\\u0078":2,"ключ":3}');
    expect(payload.class).toBe('B');
    expect(payload.integer('x')).toBe(2);
    expect(payload.integer('ключ')).toBe(3);
  });

  test('keys that objects inherit are absent until they are there', () => {
    expect(parse(minimal).has('__proto__')).toBe(false);
    expect(parse(minimal).value('constructor')).toBeUndefined();
    expect(parse('{"class":"A","args":[],"__proto__":{"x":1}}').value('__proto__')).toEqual({ x: 1 });
  });

  test('a value of another type than asked for reads as undefined', () => {
    const payload = parse('{"class":"A","args":[],"jid":5,"a":1.0,"b":9007199254740993,"c":"1","d":null}');
    expect(payload.jid).toBeUndefined();
    for (const key of ['a', 'b', 'c', 'd', 'absent']) expect(payload.integer(key)).toBeUndefined();
    expect(payload.value('b')).toBe(9007199254740993n);
    expect(payload.string('a')).toBeUndefined();
  });

  test('big integers of args come as BigInts or as strings, and 1E400 as Infinity', () => {
    const payload = parse('{"class":"A","args":[9007199254740993,-9007199254740993,1E400]}');
    expect(payload.args()).toEqual([9007199254740993n, -9007199254740993n, Infinity]);
    expect(payload.args()).toBe(payload.args());
    expect(payload.args('string')).toEqual(['9007199254740993', '-9007199254740993', Infinity]);
  });

  test('invalid UTF-8 and lone surrogates are read, and stay in the bytes', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"class":"A","args":["'),
      Buffer.from([0xff, 0xc3]),
      Buffer.from('\\ud800"]}'),
    ]);
    const payload = Payload.parse(bytes);
    expect(payload.args()).toEqual(['\ufffd\ufffd\ud800']);
    expect(payload.edit({ x: '1' }).subarray(0, -7)).toEqual(bytes.subarray(0, -1));
  });

  test('white space of all four kinds may stand anywhere', () => {
    const payload = parse(' \t\r\n{ "class" :\n"A" , "args" : [ 1 , { "a" : [ ] } ] } \n');
    expect(payload.args()).toEqual([1, { a: [] }]);
    expect(payload.raw('args')?.toString()).toBe('[ 1 , { "a" : [ ] } ]');
  });
});

describe('Payload refuses', () => {
  test.each([
    '',
    '   ',
    '1',
    'null',
    '[]',
    '"x"',
    '{',
    '{"class":"A","args":[]',
    '{"class":"A","args":[}',
    '{"class":"A","args":[]]',
    '{"class":"A","args":[]}}',
    '{"class":"A","args":[]} x',
    '{"class":"A","args":[],}',
    '{"class":"A","args":[1,]}',
    '{"class":"A","args":[,1]}',
    '{"class":"A","args":[1}}',
    '{"class":"A","args":[{"a":1]]}',
    '{"class":"A","args":[1]]',
    '{"class":"A","args":[1 2]}',
    '{"class":"A","args":[{"a"}]}',
    '{"class":"A","args":[{"a":}]}',
    '{"class":"A","args":[{"a":1,}]}',
    '{"class":"A","args":[{1:1}]}',
    '{"class":"A" "args":[]}',
    '{"class":"A","args":[],"x":tru}',
    '{"class":"A","args":[],"x":nulll}',
    '{"class":"A","args":[],"x":01}',
    '{"class":"A","args":[],"x":-}',
    '{"class":"A","args":[],"x":+1}',
    '{"class":"A","args":[],"x":1.}',
    '{"class":"A","args":[],"x":.5}',
    '{"class":"A","args":[],"x":1e}',
    '{"class":"A","args":[],"x":1e+}',
    '{"class":"A","args":[],"x":NaN}',
    '{"class":"A","args":[],"x":"\\q"}',
    '{"class":"A","args":[],"x":"\\u12g4"}',
    '{"class":"A","args":[],"x":"\\u12"}',
    '{"class":"A","args":[],"x":"a\nb"}',
    '{"class":"A","args":[],"x":"a}',
    '{"class":"A","args":[],"x":"a\\"}',
    "{'class':'A','args':[]}",
    '\ufeff{"class":"A","args":[]}',
    '{"class":"A","args":[]}\0',
    '/**/{"class":"A","args":[]}',
  ])('%j, which is not one JSON object', (text) => {
    expect(() => JSON.parse(text).class.length).toThrow();
    expect(() => parse(text)).toThrow(codeOf('TSQ_PAYLOAD_UNREADABLE', 'expected'));
  });

  test('what has no class or args, or of another type, with what it got', () => {
    const unreadable = (message: string) => codeOf('TSQ_PAYLOAD_UNREADABLE', message);
    expect(() => parse('{}')).toThrow(unreadable('"class" to be a string, got no such key'));
    expect(() => parse('{"class":"A"}')).toThrow(unreadable('"args" to be an array, got no such key'));
    expect(() => parse('{"class":7,"args":[]}')).toThrow(unreadable('"class" to be a string, got a number'));
    expect(() => parse('{"class":"A","args":{}}')).toThrow(unreadable('got an object'));
    expect(() => parse('{"class":"A","args":[],"class":null}')).toThrow(unreadable('got null'));
  });

  test('and names the place, without showing what stands around it', () => {
    expect(() => parse('{"class":"A","args":["secret"],"x":tru}')).toThrow(
      codeOf('TSQ_PAYLOAD_UNREADABLE', 'expected "true" at byte 38, got "}"'),
    );
  });

  test('the 101st level, as Ruby does, and not the 100th', () => {
    const nested = (levels: number) => `{"class":"A","args":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(parse(nested(99)).args()).toHaveLength(1);
    expect(() => parse(nested(100))).toThrow(codeOf('TSQ_PAYLOAD_TOO_DEEP', 'at most 100 levels'));
    expect(Payload.parse(Buffer.from(nested(100)), { maxDepth: 101 }).args()).toHaveLength(1);
  });

  test('a million levels with a coded error; and reads them where the limit allows', () => {
    const deep = Buffer.from(`{"class":"A","args":${'['.repeat(1e6)}${']'.repeat(1e6)}}`);
    expect(() => Payload.parse(deep)).toThrow(codeOf('TSQ_PAYLOAD_TOO_DEEP'));
    expect(Payload.parse(deep, { maxDepth: 2e6 }).class).toBe('A');
  });

  test('more bytes than the limit', () => {
    const maxBytes = minimal.length - 1;
    expect(() => Payload.parse(Buffer.from(minimal), { maxBytes })).toThrow(
      codeOf('TSQ_PAYLOAD_TOO_LARGE', 'expected at most 22 bytes, got 23'),
    );
    expect(Payload.parse(Buffer.from(minimal), { maxBytes: 23 }).class).toBe('A');
  });
});

describe('Payload.edit', () => {
  const edit = (text: string, edits: Record<string, string | undefined>) =>
    parse(text).edit(edits).toString();

  test('a key keeps its place and a new one is put last, as Ruby does', () => {
    expect(edit(captured.failed, { retry_count: '2', queue: '"x"', error_backtrace: '"eJw="' })).toBe(
      captured.failed
        .replace('"retry_count":1', '"retry_count":2')
        .replace('"queue":"low"', '"queue":"x"')
        .replace('1795466828121}', '1795466828121,"error_backtrace":"eJw="}'),
    );
  });

  test('white space, escapes and numbers around the edited value stay', () => {
    const text = ' {"class" : "A" ,\n"args":[ 1.0 , "\\/" ], "cl\\u0061ssy" :\t1 } ';
    expect(edit(text, { classy: '2', b: '3' })).toBe(text.replace('\t1 }', '\t2 ,"b":3}'));
  });

  test('taking keys away takes one comma each, wherever they stand', () => {
    const text = '{"a":1, "class":"A" ,"b":2,"args":[] , "c":3}';
    expect(edit(text, { a: undefined })).toBe('{ "class":"A" ,"b":2,"args":[] , "c":3}');
    expect(edit(text, { b: undefined })).toBe('{"a":1, "class":"A" ,"args":[] , "c":3}');
    expect(edit(text, { c: undefined })).toBe('{"a":1, "class":"A" ,"b":2,"args":[] }');
    expect(edit(text, { a: undefined, b: undefined, c: undefined })).toBe('{ "class":"A" ,"args":[] }');
    expect(edit(text, { absent: undefined })).toBe(text);
  });

  test('of a key that occurs twice the last is replaced and the earlier ones go', () => {
    const text = '{"x":1,"class":"A","\\u0078":2,"args":[],"x":3}';
    expect(edit(text, { x: '4' })).toBe('{"class":"A","args":[],"x":4}');
    expect(edit(text, { x: undefined })).toBe('{"class":"A","args":[]}');
  });

  test('`__proto__` is a key like any other', () => {
    const once = edit(minimal, JSON.parse('{"__proto__":"1"}'));
    expect(once).toBe('{"class":"A","args":[],"__proto__":1}');
    expect(edit(once, JSON.parse('{"__proto__":"2"}'))).toBe('{"class":"A","args":[],"__proto__":2}');
  });

  test('a text that is not one JSON value is refused, with its key', () => {
    for (const text of ['', ' ', '1,"y":2', 'tru', '1 2', '"a', '}']) {
      expect(() => edit(minimal, { x: text })).toThrow(codeOf('TSQ_PAYLOAD_UNREADABLE', 'text of "x"'));
    }
    expect(() => edit(minimal, { x: `${'['.repeat(100)}${']'.repeat(100)}` })).toThrow(
      codeOf('TSQ_PAYLOAD_TOO_DEEP'),
    );
  });

  test('what would no longer be a payload is refused', () => {
    expect(() => edit(minimal, { class: undefined })).toThrow(codeOf('TSQ_PAYLOAD_UNREADABLE', '"class"'));
    expect(() => edit(minimal, { args: '{}' })).toThrow(codeOf('TSQ_PAYLOAD_UNREADABLE', '"args"'));
    expect(edit(minimal, { class: ' "B"' })).toBe('{"class": "B","args":[]}');
  });
});
