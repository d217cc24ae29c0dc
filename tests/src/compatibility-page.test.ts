/** docs/compatibility.md keeps its form: a verdict in each cell, and a reason for each `no`. */
import { describe, expect, test } from '@jest/globals';
import { readText } from './workspace.js';

const versions = ['6.0–6.3', '6.4', '6.5', '7.x', '8.0', '8.1'];
const verdict = /^(?:(?:tested|carried)(?:\[\^\w+\])?|no\[\^\w+\]|–)$/;

interface Page {
  /** Construct, then a verdict for each version. */
  readonly rows: readonly (readonly string[])[];
  readonly headers: readonly (readonly string[])[];
  readonly notesUsed: ReadonlySet<string>;
  readonly notes: readonly string[];
}

function read(text: string): Page {
  const constructs = text.slice(text.indexOf('\n## '), text.indexOf('\n## Notes'));
  const lines = constructs.split('\n').filter((line) => line.startsWith('|') && !/^[|-]+$/.test(line));
  const rows = lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
  return {
    headers: rows.filter(([first]) => first === 'Construct'),
    rows: rows.filter(([first]) => first !== 'Construct'),
    notesUsed: new Set([...constructs.matchAll(/\[\^(\w+)\]/g)].map(([, name = '']) => name)),
    notes: [...text.matchAll(/^\[\^(\w+)\]: \S/gm)].map(([, name = '']) => name),
  };
}

/** What is wrong with the rows. */
function faults({ rows, headers }: Page): readonly string[] {
  const names = rows.map(([name]) => name);
  return [
    ...headers
      .filter((cells) => cells.slice(1).join() !== versions.join())
      .map((cells) => `columns: ${cells}`),
    ...rows
      .filter((cells) => cells.length !== 7 || !cells.slice(1).every((cell) => verdict.test(cell)))
      .map((cells) => cells.join(' | ')),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `twice: ${name}`),
  ];
}

describe('the compatibility page', () => {
  const page = read(readText('docs/compatibility.md'));

  test('each construct has one row, with a verdict for each version', () => {
    expect(page.rows.length).toBeGreaterThan(0);
    expect(faults(page)).toEqual([]);
  });

  test('each note is used, and each that is used is there once', () => {
    expect([...page.notes].sort()).toEqual([...page.notesUsed].sort());
  });

  test('a row that lacks a version, a word that is none, and a no without a reason are found', () => {
    const table = (row: string) =>
      `\n## A\n| Construct | ${versions.join(' | ')} |\n|---|---|\n| a | ${row} |\n\n## Notes\n`;
    const faultsOf = (row: string) => faults(read(table(row)));
    expect(faultsOf('tested | tested | carried | no[^x] | – | tested[^y]')).toEqual([]);
    expect(faultsOf('tested | tested | tested | tested | tested')).toHaveLength(1);
    expect(faultsOf('tested | tested | tested | tested | tested | mostly')).toHaveLength(1);
    expect(faultsOf('tested | tested | tested | tested | tested | no')).toHaveLength(1);
  });
});
