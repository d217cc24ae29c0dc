/** The worker of the compose file; `docker/ruby-producer/producer.rb` enqueues its jobs by the Ruby name. */
import { setTimeout as delay } from 'node:timers/promises';
import { currentJob, Worker } from '@tsq/worker';

@Worker({ name: 'Greetings::Greet', tracked: true })
export class Greet {
  async perform(_name: string, seconds: number): Promise<void> {
    const { signal } = currentJob();
    await delay(seconds * 1000, undefined, { signal });
  }
}
