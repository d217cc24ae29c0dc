/** The rows of the fault matrix (docs/reliability.md), by number. A row that is missing has its reason in missing-rows.ts. */
import type { Row } from '../row.js';

export const rows: readonly Row[] = [];
