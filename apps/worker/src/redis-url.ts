/** A Redis URL as it may be shown: without its password, and without a user name that is a token. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'an unreadable URL';
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  // ioredis takes a password as ?password= too.
  if (parsed.searchParams.has('password')) parsed.searchParams.set('password', '***');
  return parsed.href;
}
