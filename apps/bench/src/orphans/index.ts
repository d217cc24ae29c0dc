/**
 * `pnpm bench:orphans`: what the recovery of very many orphans does to everybody else. They are made by script, and
 * tsq-worker processes put them back; meanwhile one probe asks Redis for a PONG every other millisecond. Twice: the orphans
 * of ten dead instances, and those of one that held them all. Then the price of a check, by the size of the fleet.
 */
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { PrivateRedis } from '../private-redis.js';
import { spread } from '../spread.js';
import { startWorker, stopWorker, until } from '../worker-process.js';
import { timeBatches } from './batches.js';
import { priceOfAPass } from './fleet.js';
import { account, isAllBack, makeOrphans, type Orphans } from './orphans.js';
import { describeTimes, scriptTimes, watchScripts } from './script-times.js';

const options = new Command('bench:orphans')
  .description('Recovers a flood of orphans, and measures what everybody else feels of it')
  .option('--orphans <n>', 'orphans, made twice', Number, 1_000_000)
  .option('--processes <n>', 'tsq-worker processes that recover', Number, 2)
  .option('--fleets <n...>', 'living instances, for the price of a pass', [10, 100, 1_000].map(String))
  .parse()
  .opts<{ orphans: number; processes: number; fleets: string[] }>();

const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const times = ['--heartbeat-ttl', '4', '--heartbeat-interval', '1', '--recovery-interval', '1'];
const place = ['-r', new URL('../noop-workers.js', import.meta.url).pathname, '-q', 'idle', '-t', '5'];
const command = [process.execPath, bin, ...place, ...times, '--recovery-start-delay', '0'];
const contestant = { name: 'tsq', jobs: 0, jobClass: 'Noop', command: [...command, '--log-level', 'error'] };

for (const instances of [10, 1]) await recoverAll({ count: options.orphans, instances });
await showBatches();
await showPrices();

async function recoverAll(orphans: Orphans): Promise<void> {
  const redis = await PrivateRedis.start();
  const started: ReturnType<typeof startWorker>[] = [];
  const priority = redis.prefer();
  try {
    await makeOrphans(redis.admin, orphans);
    const before = await memory(redis);
    for (let n = 0; n < options.processes; n += 1) started.push(startWorker(redis, contestant, {}));
    await until('somebody recovers', async () => (await redis.admin.llen('queue:recovered')) > 0);
    await watchScripts(redis.admin);
    const at = performance.now();
    const { pings, most } = await probing(redis, () => isAllBack(redis.admin, orphans));
    const seconds = (performance.now() - at) / 1_000;
    const times = await scriptTimes(redis.admin);
    await Promise.all(started.map(stopWorker));
    const ordered = await account(redis.admin, orphans);
    const rate = Math.round(orphans.count / seconds).toLocaleString('en');
    const count = orphans.count.toLocaleString('en');
    print(
      `${count} orphans of ${orphans.instances} dead: ${seconds.toFixed(1)} s, ${rate} a second (Redis ${priority})`,
    );
    print(`  ${describeTimes(times)}`);
    print(`  PING ${spread(pings)}`);
    print(`  memory before ${mb(before)}, most ${mb(most)}`);
    print(
      `  each is back once, with its bytes; ${ordered.toLocaleString('en')} in the order of their claims`,
    );
  } finally {
    await Promise.all(started.map(stopWorker));
    await redis.stop();
  }
}

/** Until all are back. Microseconds of each PING, and the most memory that Redis used. */
async function probing(redis: PrivateRedis, isOver: () => Promise<boolean>) {
  const pings: number[] = [];
  let most = 0;
  for (let round = 0; ; round += 1) {
    const at = performance.now();
    await redis.admin.ping();
    pings.push((performance.now() - at) * 1_000);
    if (round % 20 === 0 && (await isOver())) return { pings, most };
    if (round % 100 === 0) most = Math.max(most, await memory(redis));
    await delay(2);
  }
}

async function showBatches(): Promise<void> {
  const redis = await PrivateRedis.start();
  redis.prefer();
  try {
    const times = [...(await timeBatches(redis))].map(
      ([name, us]) => `${name} ${(us / 1_000).toFixed(2)} ms`,
    );
    print(`full batches (500 jobs, recoveries counted), medians: ${times.join(', ')}`);
  } finally {
    await redis.stop();
  }
}

async function showPrices(): Promise<void> {
  print('commands in Redis for one pass, all instances alive (with 0 and with 100,000 keys of others):');
  for (const instances of options.fleets.map(Number)) {
    const redis = await PrivateRedis.start();
    try {
      const { none, many } = await priceOfAPass(redis, instances);
      print(
        `  ${String(instances).padStart(6)} instances: ${none.commands} and ${many.commands}, ${none.longestUs} us`,
      );
    } finally {
      await redis.stop();
    }
  }
}

async function memory({ admin }: PrivateRedis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MB`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
