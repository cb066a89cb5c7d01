import { Lab } from '../test/support/lab.mjs';
import { BLUE_DDL, GREEN_DDL, IDENTITY, PAYMENTS, payments, psqlPipe, runProcess, thousands, timed } from './support.mjs';

/**
 * The full copy of payments, against `psql COPY | psql COPY`.
 * @param {Lab} lab @param {number} rows
 * @returns {Promise<import('./support.mjs').Figure[]>}
 */
export async function benchCopy(lab, rows) {
  await lab.blue.createDatabase('bench', BLUE_DDL);
  const setUp = await timed(() => lab.blue.query('bench', `SET session_replication_role = replica; SET synchronous_commit = off; ${payments('1', String(rows))}; ANALYZE payments`));
  await lab.blue.query('bench', 'CHECKPOINT');
  console.log(`${thousands(rows)} payments made in ${setUp.seconds.toFixed(0)} s`);
  await Promise.all([lab.green.createDatabase('bench_psql', BLUE_DDL), lab.green.createDatabase('bench_same', BLUE_DDL), lab.green.createDatabase('bench_mapped', GREEN_DDL)]);

  const from = new Lab(lab.blue, lab.green, 'bench');
  await from.blue.query('bench', 'SELECT count(*) FROM payments'); // hint bits and cache for all alike
  const psql = await timed(() => psqlPipe(from, 'bench_psql'));
  console.log(`psql | psql: ${psql.seconds.toFixed(1)} s`);
  await lab.green.query('bench_psql', 'DROP TABLE payments CASCADE; CHECKPOINT');
  const same = await runProcess(between(lab, 'bench_same'), { mapping: IDENTITY });
  console.log(`sync, same schema: ${same.seconds.toFixed(1)} s`, same.answer.status);
  await lab.green.query('postgres', 'CHECKPOINT');
  const mapped = await runProcess(between(lab, 'bench_mapped'), { mapping: PAYMENTS });
  console.log(`sync, default mapping: ${mapped.seconds.toFixed(1)} s`, mapped.answer.status);
  for (const { answer } of [same, mapped]) if (answer.rowsCopied !== rows) throw new Error(`copied ${answer.rowsCopied} of ${rows}`);

  const ratio = (/** @type {number} */ seconds) => psql.seconds / seconds;
  return [
    { name: 'psql COPY to psql COPY', value: `${thousands(rows / psql.seconds)} rows/s`, target: '', met: null },
    { name: 'full copy, no transformation', value: `${thousands(rows / same.seconds)} rows/s = ${ratio(same.seconds).toFixed(2)} x psql`, target: '>= 0.5 x', met: ratio(same.seconds) >= 0.5 },
    { name: 'full copy, default mapping', value: `${thousands(rows / mapped.seconds)} rows/s = ${ratio(mapped.seconds).toFixed(2)} x psql`, target: '>= 0.3 x', met: ratio(mapped.seconds) >= 0.3 },
    { name: 'memory of the process at its peak, default mapping', value: `${mapped.megabytes.toFixed(0)} MB (no transformation ${same.megabytes.toFixed(0)} MB)`, target: '< 256 MB', met: Math.max(mapped.megabytes, same.megabytes) < 256 },
  ];
}

/** Blue's database is one, green's differ: the lab's name of the database is green's here. @param {Lab} lab @param {string} target */
export function between(lab, target) {
  const pair = new Lab(lab.blue, lab.green, target);
  const parts = pair.parts.bind(pair);
  pair.parts = (options) => {
    const made = parts(options);
    made.config.source.database = 'bench';
    return made;
  };
  return pair;
}
