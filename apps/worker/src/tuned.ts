/** Lays the settings under the times of their profile: one word for four times, each of which can be given alone and then wins. */
import { type TuningProfile, tuningProfiles } from '@tsq/recovery';

export const profileNames = Object.keys(tuningProfiles) as TuningProfile[]; // a literal has no other keys

interface Untuned {
  readonly profile: TuningProfile;
  readonly heartbeat: {
    readonly intervalSeconds?: number | undefined;
    readonly ttlSeconds?: number | undefined;
    readonly stallTimeoutSeconds: number;
  };
  readonly recovery: {
    readonly intervalSeconds?: number | undefined;
    readonly lockTtlSeconds?: number | undefined;
    readonly startDelaySeconds?: number | undefined;
  };
}

export function tuned<S extends Untuned>(settings: S) {
  const { heartbeat, recovery } = settings;
  const { intervalMs, ttlMs, lockTtlMs, startDelayMs } = tuningProfiles[settings.profile];
  return {
    ...settings,
    heartbeat: {
      ...heartbeat,
      intervalSeconds: heartbeat.intervalSeconds ?? intervalMs / 1_000,
      ttlSeconds: heartbeat.ttlSeconds ?? ttlMs / 1_000,
    },
    recovery: {
      ...recovery,
      intervalSeconds: recovery.intervalSeconds ?? intervalMs / 1_000,
      lockTtlSeconds: recovery.lockTtlSeconds ?? lockTtlMs / 1_000,
      startDelaySeconds: recovery.startDelaySeconds ?? startDelayMs / 1_000,
    },
  };
}
