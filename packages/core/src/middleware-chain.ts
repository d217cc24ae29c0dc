/**
 * An ordered list of named middleware, and the one function they compose to. Client and server chains are both this
 * class; the first entry is the outermost. Composed once per change, not per job.
 */
import { didYouMean, TsqError } from './errors.js';

export type Middleware<Context, Result> = (context: Context, next: () => Promise<Result>) => Promise<Result>;

interface Entry<Context, Result> {
  readonly name: string;
  readonly middleware: Middleware<Context, Result>;
}

export class MiddlewareChain<Context, Result> {
  private entries: readonly Entry<Context, Result>[] = [];

  /** Puts it last: the innermost. An entry of the same name is removed first, as in Sidekiq. */
  add(name: string, middleware: Middleware<Context, Result>): this {
    this.entries = [...this.without(name), { name, middleware }];
    return this;
  }

  /** Puts it first: the outermost. */
  prepend(name: string, middleware: Middleware<Context, Result>): this {
    this.entries = [{ name, middleware }, ...this.without(name)];
    return this;
  }

  /** @throws TSQ_MIDDLEWARE_UNKNOWN when nothing in the chain is called `before` */
  insertBefore(before: string, name: string, middleware: Middleware<Context, Result>): this {
    return this.insert(before, 0, { name, middleware });
  }

  /** @throws TSQ_MIDDLEWARE_UNKNOWN when nothing in the chain is called `after` */
  insertAfter(after: string, name: string, middleware: Middleware<Context, Result>): this {
    return this.insert(after, 1, { name, middleware });
  }

  /** Says whether there was one. */
  remove(name: string): boolean {
    const before = this.entries.length;
    this.entries = this.without(name);
    return this.entries.length < before;
  }

  get names(): readonly string[] {
    return this.entries.map((entry) => entry.name);
  }

  /** Runs the chain around `innermost`. */
  invoke(context: Context, innermost: () => Promise<Result>): Promise<Result> {
    return this.from(0, this.entries, context, innermost);
  }

  private from(
    index: number,
    entries: readonly Entry<Context, Result>[],
    context: Context,
    innermost: () => Promise<Result>,
  ): Promise<Result> {
    const entry = entries[index];
    if (entry === undefined) return innermost();
    return entry.middleware(context, () => this.from(index + 1, entries, context, innermost));
  }

  private insert(anchor: string, offset: 0 | 1, entry: Entry<Context, Result>): this {
    const rest = this.without(entry.name);
    const at = rest.findIndex((other) => other.name === anchor);
    if (at < 0) {
      const hint = didYouMean(anchor, this.names);
      throw new TsqError('TSQ_MIDDLEWARE_UNKNOWN', `no middleware is called "${anchor}"${hint}`);
    }
    this.entries = [...rest.slice(0, at + offset), entry, ...rest.slice(at + offset)];
    return this;
  }

  private without(name: string): readonly Entry<Context, Result>[] {
    return this.entries.filter((entry) => entry.name !== name);
  }
}
