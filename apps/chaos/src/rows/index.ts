/** The rows of the fault matrix (docs/reliability.md), by number. A row that is missing has its reason in missing-rows.ts. */
import type { Row } from '../row.js';
import { row as killedAtEachStep } from './01-killed-at-each-step.js';
import { row as replyLost } from './02-reply-lost.js';
import { row as gemFleet } from './33-gem-fleet.js';

export const rows: readonly Row[] = [killedAtEachStep, replyLost, gemFleet];
