/** The rows of the fault matrix (docs/reliability.md), by number. A row that is missing has its reason in missing-rows.ts. */
import type { Row } from '../row.js';
import { row as row01 } from './01-killed-at-each-step.js';
import { row as row02 } from './02-reply-lost.js';
import { row as row03 } from './03-frozen-past-ttl.js';
import { row as row04 } from './04-frozen-within-ttl.js';
import { row as row05 } from './05-out-of-memory.js';
import { row as row06 } from './06-event-loop-blocked.js';
import { row as row07 } from './07-redis-killed.js';
import { row as row08 } from './08-lost-tail.js';
import { row as row09 } from './09-redis-restarted-empty.js';
import { row as row10 } from './10-failover.js';
import { row as row11 } from './11-connections-killed.js';
import { row as row12 } from './12-no-room-for-the-heartbeat.js';
import { row as row13 } from './13-redis-full.js';
import { row as row14 } from './14-readonly.js';
import { row as row15 } from './15-busy-loading-masterdown.js';
import { row as row16 } from './16-redis-slow.js';
import { row as row17 } from './17-half-open.js';
import { row as row18 } from './18-wrong-clocks.js';
import { row as row19 } from './19-heartbeats-expire.js';
import { row as row20 } from './20-one-id-twice.js';
import { row as row21 } from './21-lock-holder-killed.js';
import { row as row22 } from './22-many-orphans.js';
import { row as row23 } from './23-poison.js';
import { row as row24 } from './24-big-payloads.js';
import { row as row25 } from './25-invalid-payloads.js';
import { row as row26 } from './26-odd-jids.js';
import { row as row27 } from './27-queue-paused-deleted.js';
import { row as row28 } from './28-wrong-types.js';
import { row as row29 } from './29-log-unwritable.js';
import { row as row30 } from './30-stopped-at-odd-moments.js';
import { row as row31 } from './31-rolling-deploy.js';
import { row as row32 } from './32-scripts-flushed.js';
import { row as row33 } from './33-gem-fleet.js';
import { row as row34 } from './34-promotion-killed.js';

export const rows: readonly Row[] = [
  row01,
  row02,
  row03,
  row04,
  row05,
  row06,
  row07,
  row08,
  row09,
  row10,
  row11,
  row12,
  row13,
  row14,
  row15,
  row16,
  row17,
  row18,
  row19,
  row20,
  row21,
  row22,
  row23,
  row24,
  row25,
  row26,
  row27,
  row28,
  row29,
  row30,
  row31,
  row32,
  row33,
  row34,
];
