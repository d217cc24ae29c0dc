/**
 * `tsq drill`: shows on the user's own Redis that a killed process loses no job. What must stay true: nothing of the user's is
 * touched, and whichever way it ends, what it made is taken away, or it says what is left and how to be rid of it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openConnection, type RedisLocation, shownLocation, TsqError, whenReady } from '@tsq/core';
import { type TuningProfile, tuningProfiles } from '@tsq/recovery';
import type { Command } from 'commander';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { CliCommand, CommandContext } from '../command.js';
import { addConnectionOptions, connectionOptions, locationOf } from '../connection-options.js';
import { cleanUp } from '../drill/clean-up.js';
import { Drill, type DrillReport, Interrupted } from '../drill/drill.js';
import { type DrillName, type DrillSettings, isDrillName, newDrillName } from '../drill/drill-settings.js';
import { planText, reportText } from '../drill/drill-text.js';
import { journalOf } from '../drill/drill-worker.js';
import { checkFitness } from '../drill/fit-redis.js';
import { PatientRedis } from '../drill/patient-redis.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { Interruption } from '../interruption.js';
import { orNull } from '../json.js';
import { checkedOptions, integerOption, numberOption, wordOption } from '../options.js';
import { reach } from '../reach.js';

const profiles = Object.keys(tuningProfiles) as TuningProfile[]; // a literal has no other keys

const Options = z.object({
  ...connectionOptions,
  jobs: integerOption(1, 100_000),
  concurrency: integerOption(1, 1_000),
  jobSeconds: numberOption(0.2, 3_600),
  profile: wordOption(profiles),
  heartbeatTtl: integerOption(2, 86_400).optional(),
  heartbeatInterval: numberOption(0.1, 43_200).optional(),
  recoveryInterval: numberOption(0.1, 86_400).optional(),
  fastDetection: z.boolean(),
  cleanUp: z
    .string()
    .refine(isDrillName, { error: 'the name of a drill, such as tsq-drill-0123456789abcdef' })
    .optional(),
  json: z.boolean().default(false),
});
type Options = z.infer<typeof Options>;

/** For a Redis that is away when it is time to clean up. */
const comesBackWithinMs = 10_000;

export const drill: CliCommand = {
  name: 'drill',

  describe(command: Command): void {
    command.description('kill a worker on your own Redis, and see that no job is lost; for staging');
    addConnectionOptions(command)
      .option('--jobs <number>', 'how many jobs to enqueue', '40')
      .option('--concurrency <jobs>', 'how many of them each of the two workers runs at once', '5')
      .option('--job-seconds <seconds>', 'how long a job takes', '1')
      .option('--profile <name>', `times of heartbeat and recovery: ${profiles.join(', ')}`, 'normal')
      .option(
        '--heartbeat-ttl <seconds>',
        "silence after which a process counts as dead; default: the profile's",
      )
      .option('--heartbeat-interval <seconds>', 'between two heartbeats; default: a third of the TTL')
      .option(
        '--recovery-interval <seconds>',
        'between two looks at the heartbeats; default: as between two of them',
      )
      .option('--no-fast-detection', 'do not look at connections: only the heartbeat tells who is dead')
      .option('--json', 'print one object instead of text')
      .option(
        '--clean-up <name>',
        'run no drill: take away what the named one, which was killed itself, has left',
      );
  },

  async run(given: unknown, context: CommandContext): Promise<ExitCode> {
    const options = checkedOptions(Options, given);
    const location = locationOf(options, context);
    const redis = openConnection(location, { name: 'tsq-drill' });
    try {
      if (options.cleanUp !== undefined) return await onlyCleanUp(redis, location, options.cleanUp, context);
      const settings = settingsOf(options, location);
      return await new DrillCommand(redis, settings, options, context).run();
    } finally {
      redis.disconnect();
    }
  },
};

function settingsOf(options: Options, location: RedisLocation): DrillSettings {
  const { jobs, concurrency, jobSeconds, fastDetection, profile } = options;
  // Of each profile the interval is a third of the TTL.
  const heartbeatTtlSeconds = options.heartbeatTtl ?? tuningProfiles[profile].ttlMs / 1_000;
  const heartbeatIntervalSeconds = options.heartbeatInterval ?? heartbeatTtlSeconds / 3;
  if (heartbeatTtlSeconds < 2 * heartbeatIntervalSeconds) {
    const expected = 'two --heartbeat-interval or more, or one late beat is taken for a death';
    throw new TsqError(
      'TSQ_CONFIG_INVALID',
      `flag --heartbeat-ttl: expected ${expected}, got ${heartbeatTtlSeconds}`,
    );
  }
  return {
    ...{ location, jobs, concurrency, jobSeconds, fastDetection, profile },
    ...{ heartbeatIntervalSeconds, heartbeatTtlSeconds },
    recoveryIntervalSeconds: options.recoveryInterval ?? heartbeatIntervalSeconds,
  };
}

async function onlyCleanUp(
  redis: Redis,
  location: RedisLocation,
  name: DrillName,
  { output }: CommandContext,
) {
  await reach(redis, location);
  const removed = await cleanUp(redis, name);
  output.print(`${removed} keys and entries of ${name} were taken away`);
  return exitCodes.done;
}

class DrillCommand {
  private readonly name = newDrillName();
  private readonly startedAtMs = performance.now();
  private isCleanedUp = false;

  constructor(
    private readonly redis: Redis,
    private readonly settings: DrillSettings,
    private readonly options: Options,
    private readonly context: CommandContext,
  ) {}

  async run(): Promise<ExitCode> {
    const { name, settings } = this;
    const warnings = await checkFitness(this.redis, settings.location);
    for (const warning of warnings) this.context.output.remark(`tsq: ${warning}`);
    this.say(planText(name, settings));
    const interruption = new Interruption(() => this.context.output.remark(`tsq: ${this.leftText()}`));
    interruption.listen();
    const folder = mkdtempSync(join(tmpdir(), 'tsq-drill-'));
    try {
      const report = await this.drillIn(folder, interruption.signal);
      this.show(report);
      if (!this.isCleanedUp) return exitCodes.redis;
      return { passed: exitCodes.done, failed: exitCodes.failed, inconclusive: exitCodes.inconclusive }[
        report.verdict
      ];
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      return this.isCleanedUp ? (interruption.exitCode ?? exitCodes.interrupted) : exitCodes.redis;
    } finally {
      interruption.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The report, once nothing of the drill is left. */
  private async drillIn(folder: string, interrupted: AbortSignal): Promise<DrillReport> {
    const { name, settings, context } = this;
    writeFileSync(journalOf(folder), '');
    const place = { name, settings, folder, environment: context.environment };
    const redis = new PatientRedis(this.redis);
    const run = new Drill({ place, redis, interrupted, tell: (step) => this.tell(step) });
    try {
      return await run.run();
    } catch (error) {
      this.tell(
        error instanceof Interrupted ? 'asked to end: cleaning up' : 'something is wrong: cleaning up',
      );
      throw error;
    } finally {
      await run.killWorkers();
      await this.takeAllAway();
    }
  }

  /** A failure to clean up is a remark: what came before it says why the drill ends. */
  private async takeAllAway(): Promise<void> {
    try {
      await whenReady(this.redis, comesBackWithinMs);
      await cleanUp(this.redis, this.name);
      this.isCleanedUp = true;
      this.tell('cleaned up: nothing of the drill is left in Redis');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.context.output.remark(`tsq: could not clean up: ${why}\ntsq: ${this.leftText()}`);
    }
  }

  private leftText(): string {
    const { location } = this.settings;
    return (
      `what this drill has made may still be in ${shownLocation(location)}. ` +
      `When Redis is there, take it away with: tsq drill --clean-up ${this.name}`
    );
  }

  private show(report: DrillReport): void {
    const { output } = this.context;
    if (!this.options.json) {
      output.print(reportText(report, this.settings, output.paint));
      return;
    }
    const { location, ...settings } = this.settings;
    const redis = shownLocation(location);
    output.print(
      JSON.stringify({ name: this.name, redis, settings, ...report, cleanedUp: this.isCleanedUp }, orNull),
    );
  }

  private tell(step: string): void {
    const seconds = ((performance.now() - this.startedAtMs) / 1_000).toFixed(1).padStart(6);
    this.say(`${this.context.output.paint.faint(`${seconds} s`)}  ${step}`);
  }

  /** Beside a JSON result all text is a remark. */
  private say(text: string): void {
    const { output } = this.context;
    if (this.options.json) output.remark(text);
    else output.print(text);
  }
}
