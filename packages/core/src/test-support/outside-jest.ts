/** Of the test support what runs in any program: the chaos suite and the benchmarks are commands too, and have no jest. */
export { faultNames } from '../fault-point.js';
export { eventually } from './eventually.js';
export { freePort, RedisServer } from './redis-server.js';
export { Seeded } from './seeded.js';
export { type ProxyMode, TcpProxy } from './tcp-proxy.js';
export { trackerGem } from './tracker-gem.js';
