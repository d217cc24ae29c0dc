/** Carries what the parts of the process have to tell to `server.events`: the parts do not know who listens. */
import type { Heartbeat, Recoverer } from '@tsq/recovery';
import type { ServerEvents } from '@tsq/worker';

export function tellOfHeartbeat(heartbeat: Heartbeat, events: ServerEvents): void {
  heartbeat.onMiss((beat) => events.emit('beat-missed', beat));
  heartbeat.onStall((stall) => events.emit('stall', stall));
  heartbeat.onLapse((fresh, lapsed) => events.emit('instance-lapsed', { fresh, lapsed }));
}

export function tellOfRecovery(recoverer: Recoverer, events: ServerEvents): void {
  recoverer.onDeath((death) => events.emit('instance-dead', death));
  recoverer.onRecovered((report) => events.emit('orphans-recovered', report));
  recoverer.onPoison((poison) => events.emit('poison', poison));
}
