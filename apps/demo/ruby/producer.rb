# A Ruby application's side of the demo: nothing but Sidekiq's own client. It knows the workers only by their names.
# Usage: REDIS_URL=redis://... ruby producer.rb QUEUE COUNT    prints the jids, one to a line
require 'sidekiq'

Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=) # of a redis-rb newer than the Sidekiq

queue, count = ARGV
Sidekiq.configure_client { |config| config.redis = { url: ENV.fetch('REDIS_URL') } }

jids = Sidekiq::Client.push_bulk(
  'class' => 'Reports::Render',
  'queue' => queue,
  'args' => Array.new(Integer(count)) { |number| ["report-#{number}", 123_456_789_012_345_678_901] }
)
puts jids
