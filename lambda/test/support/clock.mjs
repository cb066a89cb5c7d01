/** Servers and functions whose clocks are not the machine's. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('clock.c', import.meta.url));

/** @returns {{ahead: (seconds: number) => Record<string, string>, remove: () => void} | undefined} `ahead`: the environment of such a process; undefined where there is no C compiler */
export function clocks() {
  const folder = mkdtempSync(join(tmpdir(), 'migration-clock-'));
  const file = join(folder, 'clock.so');
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-o', file, SOURCE, '-ldl'], { stdio: 'ignore' });
  const remove = () => rmSync(folder, { recursive: true });
  if (status !== 0) return void remove();
  chmodSync(folder, 0o755); // PostgreSQL runs as another user
  return { ahead: (seconds) => ({ LD_PRELOAD: file, CLOCK_AHEAD_S: `${seconds}` }), remove };
}
