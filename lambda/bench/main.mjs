/**
 * `npm run bench`: the figures of README.md, on two servers with their default settings: the line above the table and the table as they stand there.
 * `npm run bench -- 500000 100000` takes fewer rows and changes, `npm run bench -- cutover split` measures these parts alone. Needs `psql` on the path.
 */
import { cpus } from 'node:os';
import { Lab } from '../test/support/lab.mjs';
import { benchChanges } from './changes.mjs';
import { benchCopy } from './copy.mjs';
import { benchCutover } from './cutover.mjs';
import { benchSplit } from './split.mjs';
import { benchIdle, benchLinear, benchSteady } from './runs.mjs';
import { thousands } from './support.mjs';

const began = Date.now();

const given = process.argv.slice(2);
const [rows = 5_000_000, changes = 1_000_000] = given.filter((word) => /^\d+$/.test(word)).map(Number);
const lab = await Lab.start({ shared_buffers: '512MB', max_wal_size: '8GB', checkpoint_timeout: '30min' });

/** @type {Record<string, () => Promise<import('./support.mjs').Figure[]>>} */
const PARTS = {
  copy: () => benchCopy(lab, rows),
  changes: () => benchChanges(lab, changes),
  idle: () => benchIdle(lab),
  linear: () => benchLinear(lab, rows),
  steady: () => benchSteady(lab, 30),
  cutover: () => benchCutover(lab),
  split: () => benchSplit(lab),
};
/** They work on what the copy has made. */
const AFTER_COPY = ['changes', 'idle', 'linear', 'steady'];

try {
  const words = given.filter((word) => !/^\d+$/.test(word));
  const unknown = words.find((word) => !Object.hasOwn(PARTS, word));
  if (unknown !== undefined) throw new Error(`${unknown} is none of the parts: ${Object.keys(PARTS).join(', ')}`);
  const chosen = words.length === 0 ? Object.keys(PARTS) : Object.keys(PARTS).filter((part) => words.includes(part) || (part === 'copy' && words.some((word) => AFTER_COPY.includes(word))));
  const figures = [];
  for (const part of chosen) figures.push(...(await /** @type {() => Promise<import('./support.mjs').Figure[]>} */ (PARTS[part])()));
  const version = (await lab.blue.query('postgres', 'SHOW server_version')).rows[0].server_version;
  const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim()}`;
  console.log(`\n${thousands(rows)} payments, ${thousands(changes)} changes; ${machine}, Node.js ${process.version.slice(1)}, PostgreSQL ${version}; it took ${Math.ceil((Date.now() - began) / 60_000)} minutes.\n`);
  console.log('| | measured | target | |\n|---|---|---|---|');
  for (const { name, value, target, met } of figures) console.log(`| ${name} | ${value} | ${target} | ${met === null ? '' : met ? 'met' : 'NOT MET'} |`);
} finally {
  await lab.remove();
}
