# Enqueues a job each second, as any Ruby program with Sidekiq does. The class lives in TypeScript: Ruby needs its name only.
require "sidekiq"

$stdout.sync = true
trap("TERM") { exit }

(1..).each do |number|
  jid = Sidekiq::Client.push("class" => "Greetings::Greet", "queue" => "default", "args" => ["visitor #{number}", 3])
  puts "enqueued #{jid}"
  sleep 1
end
