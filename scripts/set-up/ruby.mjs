/** Ruby with Sidekiq: the other side of the interop tests, and a guest in the demo. */
import { aptInstall, aptIsNotPossible } from './apt.mjs';
import { onPath, outcomeOf } from './command.mjs';

/** Sidekiq's version, or undefined when Ruby or the gem is not there. */
export async function rubySidekiqVersion() {
  if (onPath('ruby') === undefined) return undefined;
  const { code, output } = await outcomeOf('ruby', ['-e', 'require "sidekiq"; print Sidekiq::VERSION']);
  return code === 0 ? output.trim() : undefined;
}

/** Never throws: whoever lacks Ruby can run all other tests. Resolves with a sentence on what there is. */
export async function provideRubySidekiq() {
  const present = await rubySidekiqVersion();
  if (present !== undefined) return `Sidekiq ${present}`;
  const obstacle = (await aptIsNotPossible()) ?? (await failureOf(() => aptInstall(['ruby-sidekiq'])));
  const installed = await rubySidekiqVersion();
  if (installed !== undefined) return `Sidekiq ${installed}, installed with apt`;
  const consequence = process.env.CI === 'true' ? 'fail, because CI=true' : 'are skipped';
  return `not there (${obstacle ?? 'apt installed it, but ruby can not load it'}): the interop tests ${consequence}`;
}

async function failureOf(work) {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error.message.trim();
  }
}
