/** Rows of the matrix without a case, and why. */
export const missingRows: Readonly<Record<number, string>> = {};
