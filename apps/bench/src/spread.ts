/** Times of a probe, as one line. */
export function spread(microseconds: readonly number[]): string {
  const sorted = [...microseconds].sort((a, b) => a - b);
  const at = (share: number) =>
    `${((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) / 1_000).toFixed(2)} ms`;
  return `p50 ${at(0.5)}  p99 ${at(0.99)}  most ${at(1)}  (${sorted.length})`;
}
