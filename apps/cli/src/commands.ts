/** Every command of `tsq`, in the order of its help. */
import type { CliCommand } from './command.js';
import { drill } from './commands/drill.js';
import { instances } from './commands/instances.js';

export const commands: readonly CliCommand[] = [drill, instances];
