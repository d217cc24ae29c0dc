/** The rows of the fault matrix (docs/reliability.md), by number. A row that is missing has its reason in missing-rows.ts. */
import type { Row } from '../row.js';
import { row as killedAtEachStep } from './01-killed-at-each-step.js';
import { row as replyLost } from './02-reply-lost.js';
import { row as redisKilled } from './07-redis-killed.js';
import { row as redisRestartedEmpty } from './09-redis-restarted-empty.js';
import { row as connectionsKilled } from './11-connections-killed.js';
import { row as redisFull } from './13-redis-full.js';
import { row as readonly } from './14-readonly.js';
import { row as busyLoadingMasterdown } from './15-busy-loading-masterdown.js';
import { row as redisSlow } from './16-redis-slow.js';
import { row as halfOpen } from './17-half-open.js';
import { row as oneIdTwice } from './20-one-id-twice.js';
import { row as stoppedAtOddMoments } from './30-stopped-at-odd-moments.js';
import { row as rollingDeploy } from './31-rolling-deploy.js';
import { row as promotionKilled } from './34-promotion-killed.js';

export const rows: readonly Row[] = [
  killedAtEachStep,
  replyLost,
  redisKilled,
  redisRestartedEmpty,
  connectionsKilled,
  redisFull,
  readonly,
  busyLoadingMasterdown,
  redisSlow,
  halfOpen,
  oneIdTwice,
  stoppedAtOddMoments,
  rollingDeploy,
  promotionKilled,
];
