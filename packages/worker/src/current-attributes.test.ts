import { expect, test } from '@jest/globals';
import type { JsonValue } from '@tsq/core';
import { readCurrentAttributes } from './current-attributes.js';

const symbol = (value: string) => ({ _aj_serialized: 'ActiveJob::Serializers::SymbolSerializer', value });

test.each<[string, JsonValue, object]>([
  ['Sidekiq 7', { user_id: 5, tenant: 'a' }, { user_id: 5, tenant: 'a' }],
  [
    'Sidekiq 8',
    [
      ['user_id', 5],
      ['tenant', 'a'],
    ],
    { user_id: 5, tenant: 'a' },
  ],
  ['Sidekiq 8, with names that were symbols', [[symbol('user_id'), 5]], { user_id: 5 }],
  [
    'Sidekiq 8, with a value of its own form, which stays',
    [['plan', symbol('gold')]],
    { plan: symbol('gold') },
  ],
  ['nobody: pairs that are none are passed over', [['user_id', 5], ['x'], 7, [null, 1]], { user_id: 5 }],
])('the attributes as %s wrote them', (_name, written, read) => {
  expect({ ...readCurrentAttributes(written) }).toEqual(read);
});

test('a name that objects have of their own is only a name', () => {
  const attributes = readCurrentAttributes([['__proto__', { x: 1 }]]);
  expect(Object.keys(attributes ?? {})).toEqual(['__proto__']);
  expect(attributes?.toString).toBeUndefined();
});

test.each([undefined, null, 5, 'text', true])('%p are none', (written) => {
  expect(readCurrentAttributes(written)).toBeUndefined();
});
