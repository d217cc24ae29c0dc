/**
 * The guards of the protocol, by the names that docs/protocol.md uses. The model can do without each of them, to show that
 * it is needed: `without('G2')` is the protocol whose settle writes for a claim that it does not hold.
 */
export const guards = {
  G1: 'claim is refused when the instance is not registered',
  G2: 'settle writes only for a member that is held',
  G3: 'recover does nothing while the heartbeat is there',
  G4: 'recover takes the instance out of the registry in its first step',
  G5: 'recover keeps in mind, in instances:dead, who holds claims still',
  G6: 'a renewing beat never registers',
  G7: 'register is sent once for an id',
  G8: 'an instance that has lapsed goes on under a new id',
  G9: 'a member is the token of one claim, not the name of its job',
  G10: 'a batch has a higher number than any that its process knows',
  G11: 'what Redis has noted and the process does not know is adopted',
  G12: 'a settle of unknown outcome is sent again',
  G13: 'a claim whose end was sent is not taken for lost because it is gone',
  G14: 'a claim that is gone is settled only while the instance is registered, else lost',
  G15: 'retire leaves an instance that holds claims where recovery looks',
} as const;

export type Guard = keyof typeof guards;

/** Whether a guard stands. */
export type Stands = (guard: Guard) => boolean;

export const asBuilt: Stands = () => true;

export function without(removed: Guard): Stands {
  return (guard) => guard !== removed;
}
