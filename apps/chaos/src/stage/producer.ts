/** Enqueues, and writes down what was acknowledged. A job of unknown outcome is written down as such: it may be there. */
import { Client, type JsonValue, stringifyJson } from '@tsq/core';
import { hashOfArgs } from '../history/bytes-hash.js';
import { type HistoryWriter, nowMicros } from '../history/history-writer.js';
import { isKnownName, trackedNames } from '../job-names.js';

export interface EnqueueSettings {
  readonly queue?: string;
  readonly delaySeconds?: number;
  /** Of the payload: wins over the class'. */
  readonly tracked?: boolean;
  readonly retry?: boolean | number;
}

export class Producer {
  private readonly client: Client;
  /** What became of the last job that was answered, or was not. */
  lastOutcome: 'acknowledged' | 'unknown' = 'acknowledged';

  constructor(
    url: string,
    private readonly history: HistoryWriter,
    private readonly newJid: () => string,
  ) {
    this.client = new Client({ url, deadlineMs: 5_000 });
  }

  /** @returns the jid; also when it is not known whether the job is there */
  async enqueue(name: string, args: readonly JsonValue[], settings: EnqueueSettings = {}): Promise<string> {
    if (!isKnownName(name)) throw new Error(`no job of the chaos suite is called ${name}`);
    const { queue = 'default', delaySeconds, tracked, retry = 25 } = settings;
    const jid = this.newJid();
    const chosen = this.client.with({ jid, queue, retry, ...(tracked === undefined ? {} : { tracked }) });
    const sentAt = nowMicros();
    const note = (outcome: 'acknowledged' | 'unknown') => {
      this.lastOutcome = outcome;
      this.history.note({
        ...{ event: 'enq', jid, outcome, sentAt, tracked: tracked ?? trackedNames.has(name) },
        args: hashOfArgs(stringifyJson(args)),
      });
    };
    try {
      if (delaySeconds === undefined) await chosen.enqueue(name, args);
      else await chosen.enqueueIn(delaySeconds, name, args);
      note('acknowledged');
    } catch {
      note('unknown'); // the history says so, and the checker counts it either way
    }
    return jid;
  }

  async enqueueMany(
    count: number,
    name: string,
    args: readonly JsonValue[],
    settings?: EnqueueSettings,
  ): Promise<readonly string[]> {
    return await Promise.all(Array.from({ length: count }, () => this.enqueue(name, args, settings)));
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
