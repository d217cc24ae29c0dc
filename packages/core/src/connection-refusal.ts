/**
 * What a Redis that answers has against a connection. Who reads that Redis is away looks at hosts and networks; a refused
 * login and an absent database are mended elsewhere.
 */

export interface ConnectionRefusal {
  /** A sentence without its full stop. */
  readonly what: string;
  readonly advice: string;
  /** Another try is of no use. */
  readonly isFinal: boolean;
}

const login: ConnectionRefusal = {
  what: 'Redis refuses the login',
  advice: 'Check the user name and the password in its URL',
  isFinal: false, // the password may be on its way into the server
};

const database: ConnectionRefusal = {
  what: 'Redis lacks the database',
  advice: 'Check the number at the end of its URL',
  isFinal: true, // the client library would go on, on database 0: another application's
};

/** @param error what a connection emitted, or a command rejected with; undefined: it is no refusal, Redis is just away */
export function refusalOf(error: unknown): ConnectionRefusal | undefined {
  if (!(error instanceof Error)) return undefined;
  if (/^(WRONGPASS|NOAUTH|ERR invalid password)/.test(error.message)) return login;
  return error.message.includes('DB index is out of range') ? database : undefined;
}

/** Of two errors of one connection the one that says why: after a refusal comes what the client library makes of it. */
export function weightier(before: Error | undefined, now: Error): Error {
  return before !== undefined && refusalOf(before) !== undefined && refusalOf(now) === undefined
    ? before
    : now;
}

/** One line; where several addresses were tried, Node gives an error without a message. */
export function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
