/** What @tsq/recovery shows: a name that isn't here is ours to change. */
export type { BuriedPoison } from './bury-poison.js';
export type { JobInFlight } from './flight-reader.js';
export type { FlightRecorder } from './flight-recorder.js';
export {
  Heartbeat,
  type HeartbeatCounts,
  type HeartbeatOptions,
  type LapseListener,
  type MissListener,
  type StallListener,
} from './heartbeat.js';
export type { MissedBeat } from './heartbeat-messages.js';
export type {
  DeathListener,
  DeathRule,
  DeclaredDeath,
  PoisonListener,
  RecoveredInstance,
  RecoveredListener,
} from './orphan-recovery.js';
export type { LikelyCause, PostMortem, PutBackJob } from './post-mortem.js';
export type { OrphanPosition } from './recover.js';
export {
  Recoverer,
  type RecovererCounts,
  type RecovererOptions,
} from './recoverer.js';
export {
  type FleetReport,
  type InstanceReport,
  type Liveness,
  Recovery,
  type RecoveryOptions,
} from './recovery.js';
export type { LastPass, PastRecovery } from './recovery-history.js';
export type { HeartbeatSettings, Profiled, RecovererSettings } from './settings.js';
export type { Stall } from './stall-watch.js';
export type { ThreadLog, ThreadLogSource } from './thread-log.js';
export { type TuningProfile, type TuningTimes, tuningProfiles } from './tuning-profile.js';
export type { NotedJob, Vitals } from './vitals.js';
