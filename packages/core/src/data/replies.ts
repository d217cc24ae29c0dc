/** Pipelines and transactions whose failed commands are not overlooked: ioredis rejects for the whole at most. */
import type { ChainableCommander } from 'ioredis';

/** The replies of a pipeline or a MULTI, in order. @throws the first error, of the whole or of one command */
export async function repliesOf(commands: ChainableCommander): Promise<readonly unknown[]> {
  const replies = (await commands.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

/** The Buffers among the items of a reply. */
export function buffersIn(reply: unknown): readonly Buffer[] {
  return Array.isArray(reply) ? reply.filter((item) => Buffer.isBuffer(item)) : [];
}
