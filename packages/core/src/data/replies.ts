/** A pipeline whose failed commands are not overlooked: ioredis answers for each, and rejects for none. */
import type { ChainableCommander } from 'ioredis';

/** The replies, in order. @throws the first error, of the whole or of one command */
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
