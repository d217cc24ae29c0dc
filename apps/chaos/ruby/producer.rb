# Ruby's producer of the mixed run: pushes jobs and writes down what Redis has acknowledged, in the form of the other histories.
# Usage: REDIS_URL=… CHAOS_HISTORY=folder ruby producer.rb SEED
# Each line on standard input says how many more it may push; it ends with its input.
require 'digest'
require 'json'
require 'securerandom'
require 'sidekiq'

Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=) # of a redis-rb newer than the Sidekiq

# A client that sends again after an error would itself enqueue a job twice.
Sidekiq.configure_client { |config| config.redis = { url: ENV.fetch('REDIS_URL'), reconnect_attempts: 0, timeout: 5 } }

SEED = Integer(ARGV.fetch(0))
RANDOM = Random.new(SEED)
HISTORY = File.open(File.join(ENV.fetch('CHAOS_HISTORY'), "ruby-#{Process.pid}.jsonl"), 'a')
BALLAST = [1.0, 1e20, 2**70, 'é<&>"', { 'b' => [], '10' => { 'a' => nil } }].freeze
JOBS = [%w[Chaos::Tracked true], %w[Chaos::Tracked true], %w[Chaos::Untracked false], %w[Chaos::Failing true]].freeze

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond)
end

def note(fields)
  @count = (@count || 0) + 1
  HISTORY.syswrite("#{JSON.generate({ at: now, n: @count, pid: Process.pid, **fields })}\n")
end

def push
  jid = SecureRandom.hex(12)
  name, tracked = JOBS.sample(random: RANDOM)
  args = [5 + RANDOM.rand(150), *(name == 'Chaos::Failing' ? [1] : []), *BALLAST]
  item = { 'class' => name, 'jid' => jid, 'queue' => 'default', 'args' => args, 'retry' => 25 }
  item['at'] = Time.now.to_f + RANDOM.rand * 3 if RANDOM.rand < 0.15
  sent_at = now
  outcome = begin
    Sidekiq::Client.push(item)
    'acknowledged'
  rescue Redis::BaseError, Errno::ECONNREFUSED, Errno::ECONNRESET, ConnectionPool::Error
    sleep 0.5
    'unknown'
  end
  hash = Digest::SHA1.hexdigest(JSON.generate(args))[0, 16]
  note(event: 'enq', jid: jid, outcome: outcome, sentAt: sent_at, tracked: tracked == 'true', args: hash)
end

while (line = $stdin.gets)
  Integer(line).times { push }
end
