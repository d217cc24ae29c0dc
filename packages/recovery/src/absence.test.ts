import { describe, expect, test } from '@jest/globals';
import { openConnection, whenReady } from '@tsq/core';
import { eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import { Absence } from './absence.js';

describe('Absence', () => {
  const redis = useRedis();

  /** The last answer is longer ago than half a TTL; then the connection is cut, and made again at once. */
  async function reconnected(before: (absence: Absence) => void): Promise<Absence> {
    const proxy = await TcpProxy.before(redis.port);
    const connection = openConnection({ url: proxy.url }, { name: 'absence' });
    await whenReady(connection);
    const ttlMs = 3_000;
    const absence = new Absence(connection, ttlMs, () => undefined);
    const answeredAt = performance.now();
    absence.answered();
    await eventually(() => expect(performance.now() - answeredAt).toBeGreaterThan(ttlMs / 2));
    before(absence);
    const ready = new Promise((resolve) => connection.once('ready', resolve));
    proxy.cutAll();
    await ready;
    connection.disconnect();
    await proxy.close();
    return absence;
  }

  test('a brief reconnect between two passes buys no grace, however long ago the last pass was', async () => {
    const absence = await reconnected(() => undefined);
    expect(absence.graceLeftMs).toBe(0);
  });

  test('S4: a connection that breaks while an answer is owed may have been dead since the last one', async () => {
    const absence = await reconnected((asked) => asked.asking());
    expect(absence.graceLeftMs).toBeGreaterThan(0);
  });
});
