# The workers of the benchmarks, on Ruby's side. The no-op counts, and a timer writes the count out.
require 'sidekiq'
require 'logger'

Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=) # of a redis-rb newer than the Sidekiq

Sidekiq.configure_server { |config| config.logger.level = Logger::ERROR } unless ENV['BENCH_JOB_LOG']

$count = 0
counter = Mutex.new
NOTE_COUNT = -> { counter.synchronize { $count += 1 } }

class Noop
  include Sidekiq::Worker

  def perform(*)
    NOTE_COUNT.call
  end
end

LATENCIES = File.open(ENV.fetch('BENCH_LATENCIES', '/dev/null'), 'a')
LATENCIES.sync = true

class Started
  include Sidekiq::Worker

  def perform(sent_at)
    LATENCIES.write("#{Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond) - sent_at}\n")
  end
end

Thread.new do
  file = File.open(ENV.fetch('BENCH_COUNT', '/dev/null'), 'w')
  loop do
    sleep 0.01
    file.pwrite($count.to_s, 0)
  end
end
