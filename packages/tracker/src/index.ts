/** What @tsq/tracker shows: a name that isn't here is ours to change. */
export { Instance, type RenewalListener } from './instance.js';
export { type InstanceId, Keyspace, type Member, memberOf, queueOfMember } from './keyspace.js';
