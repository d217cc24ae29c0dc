/**
 * The tracker gem for a Ruby server of a test: `sidekiq-assured-jobs` itself where TSQ_TEST_GEM_PATH names its `lib` folder, else a
 * stand-in of ours that sends the same commands in the same order, with the same gaps between them. A test that needs the gem
 * must pass with both.
 */

export interface TrackerGemSettings {
  readonly namespace: string;
  /** Default 16 hex digits of its own. */
  readonly instanceId?: string;
  readonly intervalSeconds: number;
  readonly ttlSeconds: number;
  /** Between its pass 5 s after the start and the only other one. Default 300. */
  readonly delayedRecoverySeconds?: number;
}

/** Ruby text to put before the workers: those with `sidekiq_options assured_jobs: true` are tracked. */
export function trackerGem(settings: TrackerGemSettings, gemPath = process.env.TSQ_TEST_GEM_PATH): string {
  const { namespace, instanceId, intervalSeconds, ttlSeconds, delayedRecoverySeconds = 300 } = settings;
  const environment = {
    ASSURED_JOBS_NS: namespace,
    ...(instanceId === undefined ? undefined : { ASSURED_JOBS_INSTANCE_ID: instanceId }),
    ASSURED_JOBS_HEARTBEAT_INTERVAL: intervalSeconds,
    ASSURED_JOBS_HEARTBEAT_TTL: ttlSeconds,
    ASSURED_JOBS_DELAYED_RECOVERY_INTERVAL: delayedRecoverySeconds,
  };
  const lines = Object.entries(environment).map(([name, value]) => `ENV['${name}'] = '${value}'`);
  const gem =
    gemPath === undefined ? standIn : `$LOAD_PATH.unshift('${gemPath}')\nrequire 'sidekiq-assured-jobs'\n`;
  return `${lines.join('\n')}\n${gem}`;
}

/** Documented commands only: docs/compatibility.md says where they lose and double jobs. */
const standIn = `
require 'json'
require 'securerandom'
require 'sidekiq'

module TrackerGemStandIn
  NAMESPACE = ENV.fetch('ASSURED_JOBS_NS')
  ID = ENV.fetch('ASSURED_JOBS_INSTANCE_ID') { SecureRandom.hex(8) }
  INTERVAL, TTL, DELAY = %w[HEARTBEAT_INTERVAL HEARTBEAT_TTL DELAYED_RECOVERY_INTERVAL].map do |name|
    ENV.fetch("ASSURED_JOBS_#{name}").to_i
  end

  def self.key(*parts)
    [NAMESPACE, *parts].join(':')
  end

  def self.beat
    Sidekiq.redis { |redis| redis.setex(key('instance', ID), TTL, Time.now.to_f) }
  end

  # Reads and deletes first, pushes afterwards; an id is what follows the last colon.
  def self.recover
    taken = Sidekiq.redis { |redis| redis.set(key('recovery_lock'), ID, nx: true, ex: 300) }
    return unless taken
    begin
      orphans = Sidekiq.redis do |redis|
        tracked = redis.keys(key('jobs', '*'))
        living = redis.keys(key('instance', '*')).map { |name| name.split(':').last }
        dead = tracked.reject { |name| living.include?(name.split(':').last) }
        dead.flat_map do |name|
          payloads = redis.smembers(name).map do |jid|
            payload = redis.get(key('job', jid))
            redis.del(key('job', jid)) if payload
            payload && JSON.parse(payload)
          end
          redis.del(name)
          payloads.compact
        end
      end
      orphans.each { |job| Sidekiq::Client.push(job) }
    ensure
      Sidekiq.redis { |redis| redis.del(key('recovery_lock')) }
    end
  end

  class Track
    def call(worker, job, _queue)
      return yield unless worker.class.get_sidekiq_options['assured_jobs'] == true
      set, payload = TrackerGemStandIn.key('jobs', ID), TrackerGemStandIn.key('job', job['jid'])
      begin
        Sidekiq.redis { |redis| redis.multi { |multi| multi.sadd(set, job['jid']); multi.set(payload, JSON.generate(job)) } }
        yield
      ensure
        Sidekiq.redis { |redis| redis.multi { |multi| multi.srem(set, job['jid']); multi.del(payload) } }
      end
    end
  end

  Sidekiq.configure_server do |config|
    config.server_middleware { |chain| chain.add Track }
    config.on(:startup) do
      beat
      @heart = Thread.new { loop { sleep INTERVAL; beat } }
      Thread.new do
        sleep 5
        recover
        sleep DELAY
        recover
      end
    end
    config.on(:shutdown) do
      @heart.kill
      Sidekiq.redis { |redis| redis.del(key('instance', ID)) }
    end
  end
end
`;
