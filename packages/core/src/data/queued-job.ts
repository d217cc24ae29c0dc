/** A job that waits in a queue. */
import { JobRecord } from './job-record.js';

/** Takes one job out of its queue, by its exact bytes; false: it is not there any more. */
export type DeleteJob = (bytes: Buffer) => Promise<boolean>;

export class QueuedJob extends JobRecord {
  constructor(
    private readonly deleteJob: DeleteJob,
    bytes: Buffer,
    private readonly queueName: string,
  ) {
    super(bytes, queueName);
  }

  override get queue(): string {
    return this.queueName;
  }

  /** Of several with the same bytes, one. @returns false when a worker, or somebody else, was first */
  delete(): Promise<boolean> {
    return this.deleteJob(this.bytes);
  }
}
