/**
 * What a Redis that answers has against a connection. Who reads that Redis is away looks at hosts and networks; a refused
 * login, an absent database, a replica or somebody's endless script are mended elsewhere.
 */

export interface ConnectionRefusal {
  /** A sentence without its full stop. */
  readonly what: string;
  readonly advice: string;
  /**
   * Whether trying again is of use. `passes`: it may end by itself; `stays`: somebody must mend it first, and then it ends;
   * `final`: not for this connection.
   */
  readonly lasts: 'passes' | 'stays' | 'final';
}

const login: ConnectionRefusal = {
  what: 'Redis refuses the login',
  advice: 'Check the user name and the password in its URL',
  lasts: 'stays', // the password may be on its way into the server
};

const database: ConnectionRefusal = {
  what: 'Redis lacks the database',
  advice: 'Check the number at the end of its URL',
  lasts: 'final', // the client library would go on, on database 0: another application's
};

const select: ConnectionRefusal = {
  what: 'Redis does not let this user choose a database',
  advice: 'Allow the user SELECT, or leave the number at the end of its URL away',
  lasts: 'stays',
};

const replica: ConnectionRefusal = {
  what: 'Redis is a replica, which takes no writes',
  advice: 'After a failover its address must lead to the new primary; sentinels know where that is',
  lasts: 'passes',
};

const busy: ConnectionRefusal = {
  what: 'Redis is busy with a script',
  advice: 'It serves nobody until the script ends, or SCRIPT KILL ends it',
  lasts: 'passes',
};

const loading: ConnectionRefusal = {
  what: 'Redis loads its data',
  advice: 'It serves nobody until that is done',
  lasts: 'passes',
};

const full: ConnectionRefusal = {
  what: 'Redis has no room for another connection',
  advice: 'Raise its maxclients, or look for who holds so many',
  lasts: 'passes',
};

const refusals: readonly (readonly [RegExp, ConnectionRefusal])[] = [
  [/^(WRONGPASS|NOAUTH|ERR invalid password)/, login],
  [/DB index is out of range/, database],
  [/^NOPERM .*'select'/, select],
  // Redis 6.2 wraps what a command in a script met.
  [/^(READONLY|MASTERDOWN)|^ERR Error running script.*-(READONLY|MASTERDOWN) /, replica],
  [/^BUSY /, busy],
  [/^LOADING/, loading],
  [/max number of clients/, full],
];

/** @param error what a connection emitted, or a command rejected with; undefined: it is no refusal, Redis is just away */
export function refusalOf(error: unknown): ConnectionRefusal | undefined {
  if (!(error instanceof Error)) return undefined;
  return refusals.find(([pattern]) => pattern.test(error.message))?.[1];
}

/** Nothing was executed, and none of the connection's commands will be for a while: another connection may do better. */
export function endsConnection(error: Error): boolean {
  return refusalOf(error)?.lasts === 'passes';
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
