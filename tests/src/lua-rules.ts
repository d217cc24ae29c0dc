/**
 * What holds for every script: its header says what goes in and comes out, payloads stay opaque bytes, nothing looks
 * through the whole keyspace. A rule returns a sentence for each violation.
 */
export function luaViolations(path: string, text: string): readonly string[] {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const header = lines.slice(0, end);
  const code = lines
    .slice(end)
    .map((line) => line.replace(/--.*$/, ''))
    .join('\n');
  return [
    ...headerProblems(path, header, code),
    ...(/\bcjson\b/.test(code) ? ['uses cjson: payloads are opaque bytes'] : []),
    ...(/['"]KEYS['"]/i.test(code) ? ['runs the KEYS command, which looks through the whole keyspace'] : []),
    ...(/['"]SCAN['"]/i.test(code) ? ['runs SCAN, which looks through the whole keyspace'] : []),
  ].map((problem) => `${path}: ${problem}`);
}

function headerProblems(path: string, header: readonly string[], code: string): readonly string[] {
  const name = path
    .split('/')
    .at(-1)
    ?.replace(/\.lua$/, '');
  const problems: string[] = [];
  if (!header[0]?.startsWith(`-- ${name}: `))
    problems.push(`its first line does not begin with "-- ${name}: "`);
  const described = (word: string) => header.some((line) => line.startsWith(`-- ${word}`));
  if (!described('Returns')) problems.push('its header has no line "-- Returns"');
  for (const table of ['KEYS', 'ARGV']) {
    const used = new RegExp(`\\b${table}\\b`).test(code);
    if (used && !described(table))
      problems.push(`it uses ${table}, and its header has no line "-- ${table}"`);
  }
  return problems;
}
