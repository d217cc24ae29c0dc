/** The rows of the fault matrix (docs/reliability.md), by number. A row that is missing has its reason in missing-rows.ts. */
import type { Row } from '../row.js';
import { row as killedAtEachStep } from './01-killed-at-each-step.js';
import { row as replyLost } from './02-reply-lost.js';
import { row as outOfMemory } from './05-out-of-memory.js';
import { row as oneIdTwice } from './20-one-id-twice.js';
import { row as lockHolderKilled } from './21-lock-holder-killed.js';
import { row as stoppedAtOddMoments } from './30-stopped-at-odd-moments.js';
import { row as rollingDeploy } from './31-rolling-deploy.js';
import { row as promotionKilled } from './34-promotion-killed.js';

export const rows: readonly Row[] = [
  killedAtEachStep,
  replyLost,
  outOfMemory,
  oneIdTwice,
  lockHolderKilled,
  stoppedAtOddMoments,
  rollingDeploy,
  promotionKilled,
];
