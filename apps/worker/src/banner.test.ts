import { describe, expect, test } from '@jest/globals';
import { workerDefinition } from '@tsq/core';
import { ServerSetup } from '@tsq/worker';
import { bannerText } from './banner.js';
import { Config } from './config.js';

describe('the banner', () => {
  const workers = [
    { [workerDefinition]: { name: 'Resize', options: { tracked: true } } },
    { [workerDefinition]: { name: 'Billing::Charge', options: {} } },
  ];
  const nothing = new ServerSetup().tracking;
  const facts = {
    version: '1.2.3',
    identity: 'host:7:abc',
    configFile: 'tsq.yml',
    workers,
    tracking: nothing,
  };

  test('says what runs where, and marks the tracked', () => {
    const config = Config.parse({ queues: ['critical,2', 'default'], redisUrl: 'redis://u:secret@r:1/2' });
    expect(bannerText(config, facts).split('\n')).toEqual([
      'tsq-worker 1.2.3 · development, tsq.yml · redis://u:***@r:1/2',
      '  queues    critical,2, default (weighted) · 10 at once',
      '  workers   Resize*, Billing::Charge   * tracked: survive kill -9',
      '  identity  host:7:abc',
      '',
    ]);
  });

  test('has a line for each capsule', () => {
    const bulk = { concurrency: 2, queues: ['imports,1', 'exports,1'] };
    const config = Config.parse({ queues: ['default'], capsules: { bulk } });
    expect(bannerText(config, facts).split('\n').slice(1, 4)).toEqual([
      '  queues    default (strict) · 10 at once',
      '  capsule   bulk: imports,1, exports,1 (random) · 2 at once',
      '  workers   Resize*, Billing::Charge   * tracked: survive kill -9',
    ]);
  });

  test('marks all workers as tracked when all are, by a setting or by a worker file', () => {
    expect(bannerText(Config.parse({ tracked: 'all' }), facts)).toContain('Resize*, Billing::Charge*');
    const tracking = { ...nothing, all: true };
    expect(bannerText(Config.parse({}), { ...facts, tracking })).toContain('Resize*, Billing::Charge*');
  });

  test('says what else is tracked: the queues of settings and worker files, and predicates', () => {
    const tracking = { all: false, queues: ['exports', 'payments'], predicates: [() => true] };
    const config = Config.parse({ trackedQueues: ['payments'] });
    expect(bannerText(config, { ...facts, tracking })).toContain(
      '\n  tracked   the queues payments, exports, and what a predicate says\n',
    );
  });
});
