/** What a TypeScript file imports and whether it reads the environment, by a real parser: types count too. */
import { type Node, parseSync } from 'oxc-parser';

export interface Import {
  readonly specifier: string;
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

export interface ParsedSource {
  readonly imports: readonly Import[];
  readonly readsEnvironment: boolean;
}

/** @throws Error when the text does not parse */
export function parseSource(path: string, text: string): ParsedSource {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join('; ')}`);
  const nodes = [...nodesIn(program)];
  const imports = nodes.flatMap(importsOf);
  const asksModule = imports.some(({ specifier }) => /^(node:)?process$/.test(specifier));
  return { imports, readsEnvironment: asksModule || nodes.some(readsEnvironment) };
}

function importsOf(node: Node): readonly Import[] {
  switch (node.type) {
    case 'ImportDeclaration':
      return [{ specifier: node.source.value, typeOnly: node.importKind === 'type' }];
    case 'ExportAllDeclaration':
      return [{ specifier: node.source.value, typeOnly: node.exportKind === 'type' }];
    case 'ExportNamedDeclaration':
      if (node.source === null) return [];
      return [{ specifier: node.source.value, typeOnly: node.exportKind === 'type' }];
    case 'TSImportType':
      return [{ specifier: node.source.value, typeOnly: true }];
    case 'ImportExpression': {
      const value = node.source.type === 'Literal' ? node.source.value : undefined;
      return typeof value === 'string' ? [{ specifier: value, typeOnly: false }] : [];
    }
    default:
      return [];
  }
}

/** `process.env`, `process['env']`, `const { env } = process`. */
function readsEnvironment(node: Node): boolean {
  if (node.type === 'VariableDeclarator') return node.id.type === 'ObjectPattern' && isProcess(node.init);
  if (node.type !== 'MemberExpression' || !isProcess(node.object)) return false;
  if (node.property.type === 'Identifier') return node.computed || node.property.name === 'env';
  return node.property.type === 'Literal' && node.property.value === 'env';
}

function isProcess(node: Node | null): boolean {
  return node?.type === 'Identifier' && node.name === 'process';
}

function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if (isNode(value)) yield value;
  for (const child of Object.values(value)) yield* nodesIn(child);
}

function isNode(value: object): value is Node {
  return 'type' in value && typeof value.type === 'string';
}
