/** Rows of the matrix without a case, and why. */
const notYet = 'not written yet';

export const missingRows: Readonly<Record<number, string>> = {
  8: notYet,
  10: notYet,
  12: notYet,
  32: notYet,
};
