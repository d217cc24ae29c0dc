/**
 * Connects to a Redis that takes writes, and to no other. An address may lead to a replica after a failover: a connection
 * that took commands there would meet READONLY with each of them, now and then, and seem well in between. So the question is
 * asked once, in the handshake, and what is no primary is tried again later.
 */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions, SentinelConnector } from 'ioredis';

/** What INFO says. A Redis that hides it is believed. */
type Info = { readonly role?: string };

type Connector = NonNullable<RedisOptions['Connector']>;

/** @param onReplica called each time that the address led to one */
export function primaryConnector(isBySentinel: boolean, onReplica: () => void): Connector {
  const isPrimary = ({ role }: Info) => {
    if (role !== 'slave') return true;
    onReplica();
    return false;
  };
  return isBySentinel ? throughSentinel(isPrimary) : straight(isPrimary);
}

function straight(isPrimary: (info: Info) => boolean): Connector {
  return class extends AbstractConnector {
    private readonly options: RedisOptions;

    constructor(options: unknown) {
      const given = options as RedisOptions; // the client library hands over its own
      super(given.disconnectTimeout ?? 2_000);
      this.options = given;
    }

    override check(info: Info): boolean {
      return isPrimary(info);
    }

    override disconnect(): void {
      this.connecting = false;
      // ioredis would arm a timer for its end, which holds the process.
      if (this.stream?.closed === false) super.disconnect();
    }

    override async connect() {
      this.connecting = true;
      const { path, port, host, family, tls } = this.options;
      const place = path ? { path } : { port: port ?? 6379, host, family };
      const stream = tls ? connectTls({ ...place, ...tls }) : connectTcp(place);
      this.stream = stream;
      stream.once('error', (error: Error) => {
        this.firstError = error;
      });
      return stream;
    }
  };
}

function throughSentinel(isPrimary: (info: Info) => boolean): Connector {
  return class extends SentinelConnector {
    constructor(options: unknown) {
      super(options as RedisOptions); // as above
    }

    override check(info: Info): boolean {
      // Both: its own check goes on to the next sentinel, for this one's news is old.
      const isRight = super.check(info);
      return isPrimary(info) && isRight;
    }
  };
}
