/**
 * Loaded into each worker process before everything else (`node --import`): writes down each call of the scripts that move
 * jobs, when it leaves and when it is answered, as the client library sees it. So the history knows of claims, settles and
 * recoveries what went over the wire, whatever the runtime believes; the product has nothing in it for this.
 */
import { Redis } from 'ioredis';
import { note, nowMicros } from '../history/history-writer.js';
import { observers, type ScriptCall } from './script-calls.js';
import { scriptNames } from './script-names.js';

/** What of ioredis' command matters here; it is no public class. */
interface Command {
  readonly name: string;
  readonly args: readonly (string | number | Buffer)[];
  readonly promise: Promise<unknown>;
}

const names = scriptNames();
const prototype = Redis.prototype as unknown as {
  sendCommand(this: Redis, command: Command, stream?: unknown): unknown;
};
const send = prototype.sendCommand;
let calls = 0;

prototype.sendCommand = function sendObserved(command, stream) {
  const call = scriptCallOf(command);
  if (call !== undefined) observe(call, command);
  return send.call(this, command, stream);
};

function scriptCallOf({ name, args }: Command): ScriptCall | undefined {
  if (!/^eval(sha)?$/i.test(name)) return undefined;
  const script = names.get(String(args[0]));
  const [, keyCount, ...rest] = args;
  if (script === undefined) return undefined;
  const count = Number(keyCount);
  return { script, keys: rest.slice(0, count).map(String), args: rest.slice(count), sentAt: nowMicros() };
}

function observe(call: ScriptCall, { promise }: Command): void {
  const observer = observers[call.script];
  if (observer === undefined) return;
  calls += 1;
  const number = calls;
  for (const event of observer.sent(call, number)) note(event);
  promise.then(
    (reply) => {
      for (const event of observer.answered(call, number, reply)) note(event);
    },
    (error: unknown) => {
      for (const event of observer.failed(call, number, String(error))) note(event);
    },
  );
}
