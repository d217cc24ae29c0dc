/**
 * What tsq takes for the address of a Redis, and how it may be shown. One check for all who are given one: the client
 * library takes anything, connects to some host that it makes of it, and reports no more than a lost connection.
 */

/** What is expected; for messages. */
export const redisUrlRule =
  'a URL with redis://, rediss:// or unix://, such as redis://[user:password@]host:port/database, the special characters of a password percent-encoded';

export function isRedisUrl(text: string): boolean {
  if (!/^(rediss?|unix):\/\//i.test(text) || !URL.canParse(text)) return false;
  const { protocol, pathname } = new URL(text);
  return protocol === 'unix:' ? pathname.length > 1 : /^\/?\d*$/.test(pathname);
}

/** A Redis URL as it may be shown: without its password, and without a user name that is a token. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'an unreadable URL';
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  else if (parsed.username !== '') parsed.username = '***';
  // ioredis takes a password as ?password= too.
  if (parsed.searchParams.has('password')) parsed.searchParams.set('password', '***');
  return parsed.href;
}
