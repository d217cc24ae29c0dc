/** Rows of the matrix without a case, and why. */
const notYet = 'not written yet';

export const missingRows: Readonly<Record<number, string>> = {
  18: notYet,
};
