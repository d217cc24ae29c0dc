/** What the worker that lives on has said of the one that was killed, in its log of JSON lines. */
import { z } from 'zod';

/** As recovery logs it when it has put back what a dead instance held. */
const DeathNotice = z.object({
  instance: z.string(),
  rule: z.enum(['heartbeat', 'connections']),
  recovered: z.number(),
});

export type DeathNotice = z.infer<typeof DeathNotice>;

export function deathNoticeIn(log: string, instance: string): DeathNotice | undefined {
  for (const line of log.split('\n')) {
    if (!line.includes(instance)) continue;
    const notice = DeathNotice.safeParse(parsed(line)).data;
    if (notice?.instance === instance) return notice;
  }
  return undefined;
}

/** The last line may be half written. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
