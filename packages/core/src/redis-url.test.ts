import { describe, expect, test } from '@jest/globals';
import { isRedisUrl, withoutPassword } from './redis-url.js';

describe('the URL of a Redis', () => {
  test.each([
    'redis://localhost',
    'redis://localhost:6379/',
    'redis://user:p%40ss@h:1/12?family=6',
    'rediss://:secret@[::1]:6380/0',
    'unix:///run/redis.sock',
    'unix:///run/redis.sock?db=2',
  ])('%s is one', (url) => {
    expect(isRedisUrl(url)).toBe(true);
  });

  test.each([
    '',
    'not a url',
    'localhost:6379',
    'redis:localhost',
    'http://localhost:6379/0',
    'redis://localhost:port/0',
    'redis://localhost/zero',
    'redis://:pa/ss@localhost/0',
    'unix://',
  ])('"%s" is none', (url) => {
    expect(isRedisUrl(url)).toBe(false);
  });

  test.each([
    ['redis://localhost:6379/0', 'redis://localhost:6379/0'],
    ['rediss://:secret@h:1', 'rediss://:***@h:1'],
    ['redis://token@h:1', 'redis://***@h:1'],
    ['redis://h:1/0?password=secret&family=6', 'redis://h:1/0?password=***&family=6'],
    ['unix:///run/redis.sock', 'unix:///run/redis.sock'],
    ['redis://:sec/ret@h', 'an unreadable URL'],
  ])('%s is shown as %s', (url, shown) => {
    expect(withoutPassword(url)).toBe(shown);
  });
});
