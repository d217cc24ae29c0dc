/** Rows of the matrix without a case, and why. */
const notYet = 'not written yet';

export const missingRows: Readonly<Record<number, string>> = {
  8: notYet,
  10: notYet,
  12: notYet,
  13: notYet,
  14: notYet,
  15: notYet,
  16: notYet,
  17: notYet,
  18: notYet,
  22: notYet,
  23: notYet,
  24: notYet,
  25: notYet,
  26: notYet,
  29: notYet,
  32: notYet,
};
