/** Random sequences of commands, each on an empty Redis. A failure prints its seed and path; `fc` runs it again with both. */
import fc from 'fast-check';
import { allCommands, Run, trackedCommands } from './commands.js';
import { LuaScripts, originals, type ScriptTexts } from './lua-scripts.js';
import type { Connection } from './redis-keys.js';

export interface Sequences {
  readonly kind: 'tracked' | 'all';
  readonly texts?: ScriptTexts;
}

const longest = 60;

/** A property for `fc.assert` and `fc.check`. */
export function sequences(connection: Connection, { kind, texts = originals }: Sequences) {
  const commands = kind === 'tracked' ? trackedCommands : allCommands;
  return fc.asyncProperty(fc.commands(commands, { maxCommands: longest, size: 'max' }), async (sequence) => {
    await connection.flushall();
    await fc.asyncModelRun(() => ({ model: new Run(), real: new LuaScripts(connection, texts) }), sequence);
  });
}
