/**
 * Named places at which the chaos suite may hurt a process: just before a claim, just after a settle. Here, in what ships,
 * a fault point does nothing. A process that is started with `node --conditions=tsq-faults` gets the armed one of the test
 * support instead (the `imports` of package.json choose), and no published file can be armed.
 */

/**
 * `before` and `after` mean: the call to Redis, and its reply; of `perform`, `quiet` and `requeue`, the step of the process.
 * `mid`: between two calls that belong together. Only what runs once a batch or once a job has one.
 */
export const faultNames = [
  'register.before',
  'register.after',
  'claim.before',
  'claim.after',
  'perform.before',
  'perform.after',
  'settle.before',
  'settle.after',
  'recover.mid',
  'promote.mid',
  'quiet.before',
  'quiet.after',
  'requeue.before',
  'requeue.after',
  'deregister.before',
  'deregister.after',
] as const;

export type FaultName = (typeof faultNames)[number];

export function faultPoint(_name: FaultName): void {
  // nothing: see above
}
