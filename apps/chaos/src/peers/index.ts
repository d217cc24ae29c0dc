/** `pnpm chaos:peers`: what becomes of jobs under Sidekiq, the tracker gem, BullMQ and tsq when the same is done to all. */
import { arch, cpus, platform } from 'node:os';
import { Command } from 'commander';
import { bullmq, type Contender, plainSidekiq, sidekiqWithGem, tsq } from './contender.js';
import { type Experiment, experiments, type Outcome, runExperiment } from './experiments.js';
import { peersTable } from './peers-table.js';

const contenders: Readonly<Record<string, () => Contender>> = {
  sidekiq: plainSidekiq,
  gem: sidekiqWithGem,
  bullmq: () => bullmq,
  tsq: () => tsq,
};

const options = new Command('chaos:peers')
  .description('tsq beside its peers: the same jobs, the same harm, one journal and one count')
  .option('--contenders <names>', Object.keys(contenders).join(','), Object.keys(contenders).join(','))
  .option(
    '--experiments <names>',
    experiments.map(({ name }) => name).join(','),
    experiments.map(({ name }) => name).join(','),
  )
  .option('--repeat <n>', 'runs of each', Number, 3)
  .parse()
  .opts<{ contenders: string; experiments: string; repeat: number }>();

export interface PeerResult {
  readonly contender: string;
  readonly outcomes: readonly Outcome[];
}

async function main(): Promise<void> {
  const chosen = options.contenders.split(',').map(contenderOf);
  const done: { readonly experiment: Experiment; readonly results: readonly PeerResult[] }[] = [];
  try {
    for (const experiment of options.experiments.split(',').map(experimentOf)) {
      // Side by side: they sleep most of the time, and each has a Redis of its own.
      const able = chosen.filter((contender) => experiment.applies(contender));
      const results = await Promise.all(able.map((contender) => repeated(contender, experiment)));
      done.push({ experiment, results });
    }
  } finally {
    await Promise.all(chosen.map((contender) => contender.close()));
  }
  const machine = `${cpus().length} cores, ${platform()} ${arch()}, Node ${process.version}, ${options.repeat} runs of each`;
  process.stdout.write(`${peersTable(done)}\n${machine}\n`);
}

async function repeated(contender: Contender, experiment: Experiment): Promise<PeerResult> {
  const outcomes: Outcome[] = [];
  for (let run = 1; run <= options.repeat; run += 1) {
    const outcome = await runExperiment(contender, experiment);
    outcomes.push(outcome);
    process.stderr.write(`${experiment.name} ${contender.name} ${run}: ${JSON.stringify(outcome)}\n`);
  }
  return { contender: contender.name, outcomes };
}

function contenderOf(name: string): Contender {
  const make = contenders[name];
  if (make === undefined) throw new Error(`no contender "${name}": ${Object.keys(contenders).join(', ')}`);
  return make();
}

function experimentOf(name: string): Experiment {
  const found = experiments.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`no experiment "${name}": ${experiments.map((each) => each.name).join(', ')}`);
  return found;
}

await main();
