/**
 * The fault points of a process under test, armed by `TSQ_FAULT`: `settle.before:kill`, `claim.after:kill@3` (when it comes
 * there for the third time), `recover.mid:sleep(5000)`; several are separated by commas. Each fires once, and says so on
 * standard error before it does: a killed process says nothing afterwards.
 */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { didYouMean } from '../errors.js';
import { type FaultName, faultNames } from '../fault-point.js';

export { type FaultName, faultNames };

type Action = (name: FaultName) => void;

interface Fault {
  readonly name: FaultName;
  readonly text: string;
  readonly act: Action;
  /** Arrivals until it fires. */
  left: number;
}

const form = /^([a-z.-]+):(kill|stop|throw|sleep\((\d+)\))(?:@([1-9]\d*))?$/;
const armed = faultsIn(process.env.TSQ_FAULT ?? '');

export function faultPoint(name: FaultName): void {
  for (const fault of armed) {
    if (fault.name !== name) continue;
    fault.left -= 1;
    if (fault.left !== 0) continue;
    writeSync(2, `fault ${fault.text} in process ${process.pid}${isMainThread ? '' : ', in a thread'}\n`);
    fault.act(name);
  }
}

function faultsIn(text: string): readonly Fault[] {
  return text.split(',').filter(Boolean).map(faultOf);
}

function faultOf(text: string): Fault {
  const [, place = '', action = '', sleepMs, arrival = '1'] = form.exec(text) ?? [];
  const name = faultNames.find((known) => known === place);
  if (name === undefined) {
    throw new Error(
      `TSQ_FAULT: expected NAME:ACTION, NAME:ACTION@ARRIVAL with an action kill, stop, throw or sleep(MS), and one of the names ${faultNames.join(', ')}; got ${text}${didYouMean(place, faultNames)}`,
    );
  }
  return { name, text, left: Number(arrival), act: actionOf(action, Number(sleepMs)) };
}

function actionOf(action: string, sleepMs: number): Action {
  if (action === 'kill') return () => signalItself('SIGKILL');
  if (action === 'stop') return () => signalItself('SIGSTOP');
  if (action === 'throw') {
    return (name) => {
      throw new Error(`the fault point ${name} threw, as TSQ_FAULT says`);
    };
  }
  return () => sleep(sleepMs);
}

/** The signal is for the whole process; no statement of this thread may follow before it arrives. */
function signalItself(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
  if (signal === 'SIGKILL') sleep(Number.POSITIVE_INFINITY);
}

/** Blocks this thread. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
