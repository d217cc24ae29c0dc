/** A redis-server of one's own: found or installed, on a free port, with a folder that goes when it goes. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { aptInstall, aptIsNotPossible } from './apt.mjs';
import { onPath, SetUpError } from './command.mjs';

const startsWithinMs = 10_000;

/** Resolves with where redis-server came from. */
export async function requireRedisServer() {
  const found = onPath('redis-server');
  if (found !== undefined) return found;
  const obstacle = await aptIsNotPossible();
  if (obstacle !== undefined) throw new SetUpError(missing(obstacle));
  await aptInstall(['redis-server']);
  if (onPath('redis-server') === undefined) throw new SetUpError(missing('apt put it elsewhere'));
  return 'installed with apt';
}

function missing(obstacle) {
  return [
    `There is no redis-server on the PATH, and ${obstacle}. One of these lines is enough; then run this again:`,
    '  macOS           brew install redis',
    '  Debian, Ubuntu  sudo apt-get update && sudo apt-get install -y redis-server',
    '  Docker          docker run --rm -d -p 127.0.0.1:6379:6379 redis:7   (npm start: REDIS_URL=redis://127.0.0.1:6379)',
  ].join('\n');
}

/** `stop` ends the server by its own pid and removes its folder; it may be called twice. */
export async function startPrivateRedis() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tsq-redis-'));
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  // A process group of its own: Ctrl-C goes to the demo, which still needs Redis to end in order.
  const server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const printed = [];
  server.stdout.on('data', (chunk) => printed.push(chunk));
  server.stderr.on('data', (chunk) => printed.push(chunk));
  const gone = new Promise((resolve) => {
    server.once('close', resolve);
    server.once('error', resolve);
  });
  const stop = async () => {
    server.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  const answered = await Promise.race([answers(port), gone.then(() => false)]);
  if (!answered) {
    await stop();
    throw new SetUpError(`redis-server did not start:\n${Buffer.concat(printed).toString('utf8')}`);
  }
  return { url: `redis://127.0.0.1:${port}/0`, stop };
}

/** Whether somebody listens on the port before the time is over. */
async function answers(port) {
  const end = performance.now() + startsWithinMs;
  while (performance.now() < end) {
    if (await listens(port)) return true;
    await delay(20);
  }
  return false;
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
