# Ruby's producer and its operator, in one process: pushes jobs, and does at random what the Web UI lets people do.
# Usage: REDIS_URL=… SOAK_JOURNAL_FILE=… ruby visitor.rb SEED JOBS_PER_SECOND     until its standard input ends
require 'sidekiq'
require 'sidekiq/api'
require 'securerandom'

Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=) # of a redis-rb newer than the Sidekiq

seed, jobs_per_second = ARGV.map { |text| Integer(text) }
RANDOM = Random.new(seed)
JOURNAL = File.open(ENV.fetch('SOAK_JOURNAL_FILE'), 'a')
QUEUES = %w[default low].freeze
FATES = (%w[fine] * 16 + %w[flaky] * 3 + %w[hopeless]).freeze
BALLAST = [1.0, 1e20, 2**70, 'é<&>"', { 'b' => [], '10' => { 'a' => nil } }].freeze

def note(event, jid, detail = '-')
  JOURNAL.syswrite("#{event} ruby #{jid} #{detail}\n")
end

def push
  jid = SecureRandom.hex(12)
  fate = FATES.sample(random: RANDOM)
  item = { 'class' => 'Soak::Job', 'jid' => jid, 'queue' => QUEUES.sample(random: RANDOM),
           'args' => [fate, RANDOM.rand(200), *BALLAST], 'retry' => fate == 'hopeless' ? 1 : 25 }
  item['at'] = Time.now.to_f + RANDOM.rand * 4 if RANDOM.rand < 0.2
  note('push', jid)
  Sidekiq::Client.push(item)
end

SETS = [Sidekiq::RetrySet, Sidekiq::ScheduledSet, Sidekiq::DeadSet].freeze

# One of the first entries, as the Web UI shows a page of them.
def some_entry
  set = SETS.sample(random: RANDOM).new
  entries = Sidekiq.redis { |redis| redis.zrange(set.name, 0, 24, with_scores: true) }
  bytes, score = entries.sample(random: RANDOM)
  bytes && Sidekiq::SortedEntry.new(set, score, bytes)
end

def act_on_entry
  entry = some_entry or return
  sleep RANDOM.rand * 0.03 if RANDOM.rand < 0.5 # somebody looks at the page before he acts, and others may be first
  case action = %w[retry add_to_queue kill delete reschedule reschedule].sample(random: RANDOM)
  when 'reschedule' then reschedule(entry)
  when 'delete' then note('act', entry.jid, "delete #{entry.delete == true}")
  else
    entry.public_send(action)
    note('act', entry.jid, "#{action} true")
  end
end

# ZINCRBY on an entry that somebody took meanwhile writes it anew, with the difference for its score: Ruby's own defect.
def reschedule(entry)
  score = entry.reschedule(Time.now.to_f + RANDOM.rand * 3)
  note(score.to_f > 1e9 ? 'act' : 'resurrected', entry.jid, 'reschedule true')
end

# Somebody looks after the processes that are quiet: they are stopped, and others take their place.
def quiet_a_process
  process = Sidekiq::ProcessSet.new(false).to_a.reject(&:stopping?).sample(random: RANDOM) or return
  process.quiet!
  note('act', '-', 'quiet true')
end

def act_on_queue
  job = Sidekiq::Queue.new(QUEUES.sample(random: RANDOM)).first or return
  note('act', job.jid, "delete #{job.delete}")
end

ended = Thread.new { $stdin.read }
until ended.join(0)
  started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  (jobs_per_second / 10.0).ceil.times { push }
  3.times { RANDOM.rand < 0.9 ? act_on_entry : act_on_queue }
  quiet_a_process if RANDOM.rand < 0.007
  rest = 0.1 - (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
  sleep rest if rest.positive?
end
