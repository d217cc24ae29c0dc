/** A MULTI whose failed commands are not overlooked: ioredis rejects for the whole, and answers for each. */
import type { ChainableCommander } from 'ioredis';

/** The replies. @throws the first error, of the whole or of one command */
export async function transaction(commands: ChainableCommander): Promise<readonly unknown[]> {
  const replies = (await commands.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
