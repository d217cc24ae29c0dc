/** `tsq instances`: who is in the fleet, who of them lives, what they hold, and what was recovered. It only looks. */
import { openConnection } from '@tsq/core';
import { Recovery } from '@tsq/recovery';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CliCommand, CommandContext } from '../command.js';
import {
  addConnectionOptions,
  addNamespaceOption,
  connectionOptions,
  locationOf,
  namespaceOf,
} from '../connection-options.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { fleetText } from '../fleet-text.js';
import { orNull } from '../json.js';
import { checkedOptions } from '../options.js';
import { reach } from '../reach.js';

const Options = z.object({
  ...connectionOptions,
  namespace: z.string().optional(),
  json: z.boolean().default(false),
});

export const instances: CliCommand = {
  name: 'instances',

  describe(command: Command): void {
    command.description('list the instances of a fleet: who lives, what they hold, what was recovered');
    addNamespaceOption(addConnectionOptions(command)).option('--json', 'print one object instead of text');
  },

  async run(given: unknown, context: CommandContext): Promise<ExitCode> {
    const options = checkedOptions(Options, given);
    const location = locationOf(options, context);
    const namespace = namespaceOf(options, context);
    const redis = openConnection(location, { name: 'tsq-instances' });
    try {
      await reach(redis, location);
      const fleet = await new Recovery(redis, { namespace }).inspect();
      const { output } = context;
      output.print(
        options.json
          ? JSON.stringify({ namespace, ...fleet }, orNull)
          : fleetText(fleet, namespace, output.paint),
      );
      return exitCodes.done;
    } finally {
      redis.disconnect();
    }
  },
};
