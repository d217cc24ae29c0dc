/**
 * Connects to a Redis that takes writes, and to no other. An address may lead to a replica after a failover: a connection
 * that took commands there would meet READONLY with each of them, now and then, and seem well in between. So the question is
 * asked once, in the handshake, and what is no primary is tried again later.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions, SentinelConnector } from 'ioredis';

/** What INFO says. A Redis that hides it is believed. */
type Info = { readonly role?: string };

type Connector = NonNullable<RedisOptions['Connector']>;

interface Doorkeeper {
  isPrimary(info: Info): boolean;
  /** A server without room says so and hangs up; the client library knows only that it was hung up on. */
  hear(stream: Socket): void;
}

/** @param onRefused called each time that the server is a replica, or has no room */
export function primaryConnector(isBySentinel: boolean, onRefused: (error: Error) => void): Connector {
  const doorkeeper: Doorkeeper = {
    isPrimary({ role }) {
      if (role !== 'slave') return true;
      onRefused(new Error('READONLY, for its role is "slave"'));
      return false;
    },
    hear(stream) {
      stream.once('data', (first: Buffer) => {
        const line = first.toString('latin1').split('\r\n')[0] ?? '';
        if (line.startsWith('-ERR max number of clients')) onRefused(new Error(line.slice(1)));
      });
    },
  };
  return isBySentinel ? throughSentinel(doorkeeper) : straight(doorkeeper);
}

function straight({ isPrimary, hear }: Doorkeeper): Connector {
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
      hear(stream);
      return stream;
    }
  };
}

function throughSentinel({ isPrimary, hear }: Doorkeeper): Connector {
  return class extends SentinelConnector {
    constructor(options: unknown) {
      super(options as RedisOptions); // as above
    }

    override async connect(emit: Parameters<SentinelConnector['connect']>[0]) {
      const stream = await super.connect(emit);
      hear(stream);
      return stream;
    }

    override check(info: Info): boolean {
      // Both: its own check goes on to the next sentinel, for this one's news is old.
      const isRight = super.check(info);
      return isPrimary(info) && isRight;
    }
  };
}
