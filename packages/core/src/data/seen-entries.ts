/**
 * Entries that a reader has put elsewhere in the set that it reads: it would meet them again, and one that gives each entry an
 * hour from now would never end. A digest of each is kept, not its bytes.
 */
import { createHash } from 'node:crypto';

export class SeenEntries {
  private readonly digests = new Set<string>();

  readonly add = (bytes: Buffer): void => {
    this.digests.add(digestOf(bytes));
  };

  has(bytes: Buffer): boolean {
    return this.digests.size > 0 && this.digests.has(digestOf(bytes));
  }
}

function digestOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('base64');
}
