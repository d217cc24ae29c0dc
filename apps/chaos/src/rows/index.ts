/** The rows of the fault matrix (docs/reliability.md), by number. A row that is missing has its reason in missing-rows.ts. */
import type { Row } from '../row.js';
import { row as killedAtEachStep } from './01-killed-at-each-step.js';
import { row as replyLost } from './02-reply-lost.js';
import { row as row03 } from './03-frozen-past-ttl.js';
import { row as row04 } from './04-frozen-within-ttl.js';
import { row as row27 } from './27-queue-paused-deleted.js';
import { row as row28 } from './28-wrong-types.js';

export const rows: readonly Row[] = [killedAtEachStep, replyLost, row03, row04, row27, row28];
