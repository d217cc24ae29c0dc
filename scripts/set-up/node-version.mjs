/** Looked at before anything else is imported: an old Node must meet a sentence, not a syntax error. */
export function requireNode(major) {
  const running = Number(process.versions.node.split('.')[0]);
  if (running >= major) return;
  console.error(
    `tsq needs Node ${major} or newer; this is Node ${process.versions.node}. Get a newer one from https://nodejs.org`,
  );
  process.exit(1);
}
