/** Seeds with which a mixed run found something once. Each is begun again, for a short time, by every run of the tests. */
export interface FailingSeed {
  readonly seed: number;
  readonly found: string;
}

export const failingSeeds: readonly FailingSeed[] = [
  {
    seed: 2001,
    found:
      'the checker: a zombie, frozen between its claim and the reply, began after the new owner had ended the job',
  },
];
