/** What @tsq/tracker shows: a name that isn't here is ours to change. */
export { Instance, type RenewalListener } from './instance.js';
export { type InstanceId, Keyspace, type Member, memberOf } from './keyspace.js';
export type { OnlyKnown } from './known-claim.js';
export type { LostClaim, LostClaimListener } from './lost-claim.js';
export { recoveryWindowSeconds } from './suspects.js';
export { TrackingFetcher } from './tracking-fetcher.js';
export type { TrackingCounts, TrackingFetcherOptions } from './tracking-fetcher-options.js';
export { trackingMiddleware } from './tracking-middleware.js';
export { isTracked, type TrackingPolicy } from './tracking-policy.js';
