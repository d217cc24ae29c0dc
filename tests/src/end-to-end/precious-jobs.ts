/** A worker file that adds a predicate: jobs with a precious second argument are tracked. */
import type { ConfigureServer } from '@tsq/worker';

export const configureServer: ConfigureServer = (server) => {
  server.tracking.predicates.push(({ args }) => (args[1] === 'precious' ? true : undefined));
};
