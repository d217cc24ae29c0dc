/** Of the test support what runs in any program: the chaos suite and the benchmarks are commands too, and have no jest. */
export { faultNames } from '../fault-point.js';
export { eventually } from './eventually.js';
export { type ClockFile, faketime, type WrongClock } from './faketime.js';
export { probeRuby } from './probe-ruby.js';
export { freePort, RedisServer } from './redis-server.js';
export type { RubyServer } from './ruby-server.js';
export { RubySidekiq } from './ruby-sidekiq.js';
export { Seeded } from './seeded.js';
export { SentinelGroup } from './sentinel-group.js';
export { type ProxyMode, TcpProxy } from './tcp-proxy.js';
export { trackerGem } from './tracker-gem.js';
