/** One readable line for each step of the set-up. */

/** Does `work`, then prints `name`, its `note` when it returned one, and how long it took. */
export async function step(name, work) {
  const begin = performance.now();
  const note = await work();
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`• ${name}${typeof note === 'string' ? `: ${note}` : ''} (${seconds} s)`);
}
