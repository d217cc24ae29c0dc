/** What tests of every package share: real servers, contract suites. It needs jest, and is not part of the packed package. */
export { describeWithRuby } from './describe-with-ruby.js';
export { itIsAComponent } from './it-is-a-component.js';
export { itIsAFetcher } from './it-is-a-fetcher.js';
export { ListFetcher } from './list-fetcher.js';
export {
  eventually,
  faketime,
  freePort,
  type ProxyMode,
  RedisServer,
  Seeded,
  SentinelGroup,
  TcpProxy,
  trackerGem,
} from './outside-jest.js';
export { type LogLine, RecordingLogger } from './recording-logger.js';
export type { RubyServer, RubyServerOptions } from './ruby-server.js';
export type { RubyRunOptions, RubySidekiq } from './ruby-sidekiq.js';
export { TestRedis, useRedis } from './use-redis.js';
