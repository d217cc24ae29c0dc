/**
 * The product with one guard taken out, or two steps swapped: what the suite must find. A mutant that nothing finds is a missing
 * test. `find` of each edit stands once in the built file; mutants.test.ts holds that.
 */
interface Edit {
  /** The end of the path of a built file. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Rows of the matrix that are tried first, before the mixed run. */
  readonly rows: readonly number[];
}

const claim = 'tracker/dist/claim.lua';
const settle = 'tracker/dist/settle.lua';
const recover = 'recovery/dist/recover.lua';

export const mutants: readonly Mutant[] = [
  {
    name: 'a claim is not refused when the instance is not registered',
    edits: [
      {
        file: claim,
        find: "if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 'unregistered' end",
        replace: '',
      },
    ],
    rows: [3, 9],
  },
  {
    name: 'jobs are popped before the books are looked at',
    edits: [
      {
        file: claim,
        find: "if not string.match(count, '^%d+$') or #count > 15 then",
        replace: 'if false then',
      },
    ],
    rows: [28],
  },
  {
    name: 'a settle counts for a claim that is not held any more',
    edits: [{ file: settle, find: 'if held[i] == 0 and not is_free then', replace: 'if false then' }],
    rows: [3, 17],
  },
  {
    name: 'the end of a claim is written before its outcome, in a step of its own',
    edits: [
      {
        file: 'tracker/dist/claimed-unit.js',
        find: "this.settlement ??= this.isLost ? Promise.resolve('lost') : this.outbox.settle(this, outcome);",
        replace: `if (outcome.kind === 'retry' && this.settlement === undefined && !this.isLost) {
      this.release();
      this.settlement = new Promise((resolve) => setTimeout(resolve, 30)).then(() => this.outbox.settle(this, outcome));
    }
    this.settlement ??= this.isLost ? Promise.resolve('lost') : this.outbox.settle(this, outcome);`,
      },
    ],
    rows: [1],
  },
  {
    name: 'a beat that renews registers too',
    edits: [
      {
        file: 'recovery/dist/beat.lua',
        find: "if not registered and ARGV[3] ~= 'register' then",
        replace: 'if false then',
      },
    ],
    rows: [3],
  },
  {
    name: 'the recovery lock is released by whoever asks',
    edits: [
      {
        file: 'recovery/dist/release-lock.lua',
        find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'not-held' end",
        replace: '',
      },
    ],
    rows: [21],
  },
  {
    name: 'the client library sends again what got no reply',
    edits: [
      {
        file: 'core/dist/connection.js',
        find: 'autoResendUnfulfilledCommands: false,',
        replace: 'autoResendUnfulfilledCommands: true, maxRetriesPerRequest: 20,',
      },
    ],
    rows: [2],
  },
  {
    // Two guards, each of which nearly always does for the other.
    name: 'no TTL of grace after Redis was away',
    edits: [
      { file: 'recovery/dist/absence.js', find: 'this.graceUntil = now + this.ttlMs;', replace: '' },
      {
        file: 'recovery/dist/census.lua',
        find: 'local is_mass = #lapsed * 2 > fleet',
        replace: 'local is_mass = false',
      },
    ],
    rows: [7],
  },
  {
    name: 'no TTL of grace when most of a fleet lapses at once',
    edits: [
      {
        file: 'recovery/dist/census.lua',
        find: 'local is_mass = #lapsed * 2 > fleet',
        replace: 'local is_mass = false',
      },
    ],
    rows: [19],
  },
  {
    name: 'the living are recovered as the dead',
    edits: [
      { file: recover, find: "if redis.call('EXISTS', KEYS[3]) == 1 then return 'alive' end", replace: '' },
    ],
    rows: [4, 11],
  },
  {
    name: 'an instance whose connections are gone is condemned though it has beaten since',
    edits: [
      {
        file: 'recovery/dist/condemn.lua',
        find: "if beat and beat ~= ARGV[1] then return 'alive' end",
        replace: '',
      },
    ],
    rows: [11, 12],
  },
  {
    name: 'what is put back is not the same bytes',
    edits: [
      {
        file: recover,
        find: 'line[#line + 1] = payload',
        replace: "line[#line + 1] = string.gsub(payload, '%.0', '')",
      },
    ],
    rows: [1],
  },
  {
    name: 'what is put back stays a claim of the dead',
    edits: [
      {
        file: recover,
        find: "if #ended > 0 then redis.call('SREM', KEYS[4], unpack(ended)) end",
        replace: '',
      },
    ],
    rows: [1, 21],
  },
  {
    name: 'a dead instance with jobs left is forgotten',
    edits: [{ file: recover, find: "redis.call('SADD', KEYS[2], id)", replace: '' }],
    rows: [22, 28],
  },
  {
    name: 'a claim whose reply was lost is not adopted',
    edits: [
      {
        file: 'tracker/dist/reconciliation.js',
        find: 'if (bytes === null || ledger.has(member))',
        replace: 'if (true)',
      },
    ],
    rows: [2],
  },
  {
    name: 'a tracked job is released as every other one',
    edits: [
      {
        file: 'tracker/dist/tracking-middleware.js',
        find: 'if (!isTracked(job, watched))',
        replace: 'if (true)',
      },
    ],
    rows: [1],
  },
  {
    name: 'an instance that retires leaves its count behind',
    edits: [
      {
        file: 'recovery/dist/retire.lua',
        find: "redis.call('DEL', KEYS[2], KEYS[4], KEYS[5], KEYS[11])",
        replace: "redis.call('DEL', KEYS[2], KEYS[5], KEYS[11])",
      },
    ],
    rows: [30],
  },
  {
    name: 'an entry is promoted though another one was faster',
    edits: [
      {
        file: 'worker/dist/promote.lua',
        find: 'if not scores[entry] or tonumber(scores[entry]) > now then',
        replace: 'if false then',
      },
    ],
    rows: [34],
  },
];
