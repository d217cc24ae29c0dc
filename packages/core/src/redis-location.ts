/** Where a Redis is: by its address, or by the sentinels that know which of several servers is the primary. */
import type { RedisOptions } from 'ioredis';
import { describeValue } from './describe-value.js';
import { TsqError } from './errors.js';
import { isRedisUrl, redisUrlRule, withoutPassword } from './redis-url.js';

/** Plain data: it is handed to threads. */
export interface RedisLocation {
  /** `redis://[user:password@]host:port/db`, `rediss://` for TLS, or `unix:///path`. */
  readonly url: string;
  /** Who knows where the primary is. Of `url` then only login, database and TLS count. */
  readonly sentinel?: SentinelLocation | undefined;
  /** More of ioredis' options (TLS, ...), as far as they can be cloned into a thread. */
  readonly options?: RedisOptions;
}

export interface SentinelLocation {
  /** `host:port`, `[IPv6]:port` or `host` (port 26379), one or more: the others are learned from the first that answers. */
  readonly nodes: readonly string[];
  /** What the sentinels call the primary: `mymaster`. */
  readonly master: string;
  /** Of the sentinels, where they ask for a login: theirs is not the server's. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** What is expected of a sentinel's address; for messages. */
export const sentinelNodeRule = 'host:port of a sentinel, such as sentinel-1:26379';

const standardPort = 26_379;

/** @throws TSQ_CONFIG_INVALID: `Redis: url: expected …, got …`, without the password */
export function checkLocation({ url, options, sentinel }: RedisLocation): void {
  if (typeof url !== 'string' || !isRedisUrl(url)) {
    const got = typeof url === 'string' && url !== '' ? withoutPassword(url) : describeValue(url);
    throw invalid('url', redisUrlRule, got);
  }
  if (sentinel !== undefined) checkSentinel(sentinel);
  const isMap = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (options !== undefined && !isMap)
    throw invalid('options', "an object with ioredis' options", describeValue(options));
}

export function isSentinelNode(text: string): boolean {
  return readNode(text) !== undefined;
}

/** For messages: without a password. */
export function shownLocation({ url, sentinel }: RedisLocation): string {
  if (sentinel === undefined) return withoutPassword(url);
  return `the primary "${sentinel.master}" of the sentinels ${sentinel.nodes.join(', ')}`;
}

/** What the client library is told of sentinels: they are asked anew for each connection, and again until one answers. */
export function sentinelOptions({ url, sentinel }: RedisLocation, longestPauseMs: number): RedisOptions {
  if (sentinel === undefined) return {};
  const isTls = /^rediss:/i.test(url);
  return {
    sentinels: sentinel.nodes.flatMap((node) => readNode(node) ?? []),
    name: sentinel.master,
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    ...(isTls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    sentinelCommandTimeout: 2_000,
    sentinelRetryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 10), longestPauseMs),
  };
}

function checkSentinel({ nodes, master }: SentinelLocation): void {
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw invalid('sentinel.nodes', `a list with ${sentinelNodeRule}`, describeValue(nodes));
  }
  const wrong: unknown = nodes.find((node: unknown) => typeof node !== 'string' || !isSentinelNode(node));
  if (wrong !== undefined) throw invalid('sentinel.nodes', sentinelNodeRule, describeValue(wrong));
  if (typeof master === 'string' && master !== '') return;
  throw invalid(
    'sentinel.master',
    'what the sentinels call the primary, such as mymaster',
    describeValue(master),
  );
}

function readNode(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, ipv6, name, port = String(standardPort)] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:/@,[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = ipv6 ?? name;
  return host === undefined || Number(port) < 1 || Number(port) > 65_535
    ? undefined
    : { host, port: Number(port) };
}

function invalid(what: string, expected: string, got: string): TsqError {
  return new TsqError('TSQ_CONFIG_INVALID', `Redis: ${what}: expected ${expected}, got ${got}`);
}
