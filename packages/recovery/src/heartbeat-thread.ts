/**
 * The heartbeat's thread. It beats whatever the main thread does: a job that keeps the event loop busy for minutes must not
 * make its instance look dead. So nothing here waits for the main thread, but for a new id when the old one has lapsed.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { ConnectionNews, Logger } from '@tsq/core';
import { Keyspace } from '@tsq/tracker';
import { FlightReader } from './flight-reader.js';
import type { LogLevel, MissedBeat, News, Order, ThreadSettings } from './heartbeat-messages.js';
import { MemoryAlarm } from './memory-alarm.js';
import { Pulse } from './pulse.js';
import { StallReport } from './stall-report.js';
import { openLog } from './thread-log.js';
import { vitalsNow } from './vitals.js';

if (parentPort === null) throw new Error('heartbeat-thread is started by Heartbeat, as a thread');
beatFor(parentPort, workerData as ThreadSettings); // Heartbeat alone starts this file

function beatFor(port: MessagePort, settings: ThreadSettings): void {
  const logger = loggerTo(port);
  const common = { ...settings, keyspace: new Keyspace(settings.namespace), logger };
  const tell = (news: News) => port.postMessage(news);
  const report = (news: ConnectionNews) => tell({ kind: 'connection', news });
  const flight = new FlightReader(settings.flight);
  let pulse: Pulse | undefined;
  const stalls = new StallReport({
    ...settings,
    flight,
    log: openLog(settings.threadLog, logger),
    // The note of a process that is killed for it should say so.
    onBegin: () => pulse?.beatNow(),
    onGiveUp: () => pulse?.hold(),
    onEnd: (stall) => {
      if (stall.gaveUp) pulse?.resume();
      tell({ kind: 'stall', stall });
    },
  });
  const memory = new MemoryAlarm(flight, () => pulse?.beatNow());
  port.on('message', async (order: Order) => {
    const before = pulse;
    if (order.kind === 'beat-now') return before?.beatNow();
    if (order.kind === 'owner') return flight.addOwner(order.id);
    if (order.kind === 'beat') {
      const { id, mode } = order;
      const onBeat = () => tell({ kind: 'beat', id });
      const onLapse = () => tell({ kind: 'lapsed', id });
      const onMiss = (missed: MissedBeat) => tell({ kind: 'missed', beat: missed });
      stalls.watch(id);
      const note = () => vitalsNow(flight, id, stalls.stalledMs);
      pulse = new Pulse({ ...common, report, id, firstBeat: mode, note, onBeat, onMiss, onLapse });
      await before?.end();
    } else {
      stalls.end();
      memory.end();
      await before?.retire();
      tell({ kind: 'retired' });
    }
  });
  tell({ kind: 'awake' });
}

/** The main thread has the logger. What is logged while it is blocked appears when it is free again. */
function loggerTo(port: MessagePort): Logger {
  const at = (level: LogLevel) => (fields: object, message: string) =>
    port.postMessage({ kind: 'log', level, fields, message } satisfies News);
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}
