/** Seeds with which a mixed run found something once. Each is begun again, for a short time, by every run of the tests. */
export interface FailingSeed {
  readonly seed: number;
  readonly found: string;
}

export const failingSeeds: readonly FailingSeed[] = [];
