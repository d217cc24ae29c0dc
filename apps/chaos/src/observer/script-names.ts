/** Which script a call runs, by its text or its SHA: those of tracker and recovery that move jobs or decide about life. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type ObservedScript = 'claim' | 'settle' | 'beat' | 'recover' | 'retire' | 'bury-poison';

const packageOf: Readonly<Record<ObservedScript, string>> = {
  claim: '@tsq/tracker',
  settle: '@tsq/tracker',
  beat: '@tsq/recovery',
  recover: '@tsq/recovery',
  retire: '@tsq/recovery',
  'bury-poison': '@tsq/recovery',
};

export function scriptNames(): ReadonlyMap<string, ObservedScript> {
  const names = new Map<string, ObservedScript>();
  for (const name of Object.keys(packageOf) as ObservedScript[]) {
    const text = readFileSync(new URL(`./${name}.lua`, import.meta.resolve(packageOf[name])), 'utf8');
    names.set(text, name);
    names.set(createHash('sha1').update(text).digest('hex'), name);
  }
  return names;
}
