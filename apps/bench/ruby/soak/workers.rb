# Ruby's half of the workers of src/workers.ts, and what `sidekiq -r` loads. Looks for what is due each second, as tsq's do.
require 'sidekiq'

Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=) # of a redis-rb newer than the Sidekiq
JOURNAL = File.open(ENV.fetch('SOAK_JOURNAL_FILE'), 'a')
JOURNAL.sync = true

def note(event, jid, detail = '-')
  JOURNAL.syswrite("#{event} ruby #{jid} #{detail}\n")
end

# A job does not see its retry_count; a middleware does.
class NoteRetryCount
  def call(_worker, job, _queue)
    Thread.current[:soak_retry_count] = job['retry_count']
    yield
  end
end

Sidekiq.configure_server do |config|
  config.options[:poll_interval_average] = 1
  config.server_middleware { |chain| chain.add NoteRetryCount }
end

module Soak
  class Job
    include Sidekiq::Worker

    def perform(fate, duration_ms, *_ballast)
      first = Thread.current[:soak_retry_count].nil?
      sleep duration_ms / 1000.0
      if fate == 'hopeless' || (fate == 'flaky' && first)
        note('fail', jid)
        raise ArgumentError, "a #{fate} job, \"quoted\" – é"
      end
      note('done', jid)
    end
  end
end
