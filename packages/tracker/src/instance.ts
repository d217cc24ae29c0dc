/**
 * Which instance this process is. The id is new at each start, and again after a false death: a pod restarted under the
 * same name, or a host that wakes from a freeze, must not be taken for the owner of what it held before.
 */
import { randomBytes } from 'node:crypto';
import type { InstanceId } from './keyspace.js';

export type RenewalListener = (fresh: InstanceId, lapsed: InstanceId) => void;

export class Instance {
  private current: InstanceId;
  private readonly listeners = new Set<RenewalListener>();

  /** @param label what an operator recognises, such as `host-pid`; characters that an id can't carry become `-` */
  constructor(private readonly label: string) {
    this.current = newId(label);
  }

  get id(): InstanceId {
    return this.current;
  }

  /** Takes a new id; the one before belongs to the dead. */
  renew(): InstanceId {
    const lapsed = this.current;
    this.current = newId(this.label);
    for (const listener of this.listeners) listener(this.current, lapsed);
    return this.current;
  }

  onRenewal(listener: RenewalListener): void {
    this.listeners.add(listener);
  }
}

function newId(label: string): InstanceId {
  const safe = label.replace(/[^A-Za-z0-9_-]/g, '-');
  return `${safe}-${randomBytes(6).toString('hex')}` as InstanceId;
}
