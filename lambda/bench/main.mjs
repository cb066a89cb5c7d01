/**
 * `npm run bench`: the figures of README.md, on two servers with their default settings. `npm run bench -- 500000 100000` takes
 * fewer rows and changes. Needs `psql` on the path.
 */
import { cpus } from 'node:os';
import { Lab } from '../test/support/lab.mjs';
import { benchChanges } from './changes.mjs';
import { benchCopy } from './copy.mjs';
import { benchCutover } from './cutover.mjs';
import { benchSplit } from './split.mjs';
import { benchIdle, benchLinear, benchSteady } from './runs.mjs';

const [rows = 5_000_000, changes = 1_000_000] = process.argv.slice(2).map(Number);
const lab = await Lab.start({ shared_buffers: '512MB', max_wal_size: '8GB', checkpoint_timeout: '30min' });
try {
  const figures = [
    ...(await benchCopy(lab, rows)),
    ...(await benchChanges(lab, changes)),
    ...(await benchIdle(lab)),
    ...(await benchLinear(lab, rows)),
    ...(await benchSteady(lab, 30)),
    ...(await benchCutover(lab)),
    ...(await benchSplit(lab)),
  ];
  const version = (await lab.blue.query('postgres', 'SHOW server_version')).rows[0].server_version;
  console.log(`\n${rows} rows, ${changes} changes; ${cpus().length} x ${cpus()[0]?.model}, Node.js ${process.version}, PostgreSQL ${version}\n`);
  console.log('| | measured | target | |\n|---|---|---|---|');
  for (const { name, value, target, met } of figures) console.log(`| ${name} | ${value} | ${target} | ${met === null ? '' : met ? 'met' : 'NOT MET'} |`);
} finally {
  await lab.remove();
}
