/**
 * How much memory this process may use before somebody kills it: the smallest of its cgroups' limits, of version 1 or 2, and of
 * what the machine has. A container is a cgroup, and so is a pod.
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** Where Linux shows them; others only to test this. */
export interface CgroupPlaces {
  /** Lists the cgroups of the process: `0::/path` for version 2, `4:memory:/path` for version 1. */
  readonly self: string;
  readonly root: string;
}

const linux: CgroupPlaces = { self: '/proc/self/cgroup', root: '/sys/fs/cgroup' };

/** Bytes. A limit may be changed while the process runs, so it is read each time. */
export function memoryLimit(places = linux): number {
  return Math.min(totalmem(), ...limitsOfCgroups(places));
}

/** Without one: none. Version 1 writes a huge number for that, version 2 `max`. */
export function limitsOfCgroups({ self, root }: CgroupPlaces): readonly number[] {
  const lines = (read(self) ?? '').split('\n').map((line) => line.split(':'));
  return lines.flatMap(([, controllers = '', ...path]) => {
    const isSecond = controllers === '';
    if (!isSecond && !controllers.split(',').includes('memory')) return [];
    const folder = isSecond ? root : join(root, 'memory');
    return limitsUp(folder, path.join(':'), isSecond ? 'memory.max' : 'memory.limit_in_bytes');
  });
}

/** Those of the cgroup and of all above it. In a container the path may be the host's, and then the root's own is the limit. */
function limitsUp(folder: string, path: string, file: string): readonly number[] {
  const limits: number[] = [];
  for (let at = join('/', path); ; at = dirname(at)) {
    const limit = Number(read(join(folder, at, file)) ?? Number.NaN);
    if (limit > 0 && limit < Number.MAX_SAFE_INTEGER) limits.push(limit);
    if (at === '/') return limits;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined; // no such cgroup here, or no Linux: then there is no such limit
  }
}
