/** The figures of all runs as Markdown: each cell has one figure for each run, or one for all when they agree. */
import type { Experiment, Outcome } from './experiments.js';

export interface PeerRows {
  readonly experiment: Experiment;
  readonly results: readonly { readonly contender: string; readonly outcomes: readonly Outcome[] }[];
}

const columns = [
  '',
  'in flight',
  'lost',
  'started twice',
  'finished twice',
  'again after (s)',
  'gone after (s)',
];

export function peersTable(all: readonly PeerRows[]): string {
  const header = [`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`];
  return all
    .map(({ experiment, results }) =>
      [`**${experiment.text}**`, '', ...header, ...results.map(row), ''].join('\n'),
    )
    .join('\n');
}

function row({ contender, outcomes }: PeerRows['results'][number]): string {
  const cells = [
    ...(['inFlight', 'lost', 'startedTwice', 'finishedTwice'] as const).map((field) =>
      together(outcomes.map((outcome) => String(outcome[field]))),
    ),
    ...(['recoverySeconds', 'goneSeconds'] as const).map((field) =>
      together(outcomes.map((outcome) => outcome[field]?.toFixed(1) ?? '–')),
    ),
  ];
  return `| ${[contender, ...cells].join(' | ')} |`;
}

function together(figures: readonly string[]): string {
  return new Set(figures).size === 1 ? (figures[0] ?? '') : figures.join('/');
}
