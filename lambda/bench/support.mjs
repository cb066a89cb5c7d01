/** Data and measuring for the figures. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const BLUE_DDL = readFileSync(new URL('../ddl/blue.sql', import.meta.url), 'utf8');
export const GREEN_DDL = readFileSync(new URL('../ddl/green.sql', import.meta.url), 'utf8');
export const DEFAULT_MAPPING = JSON.parse(readFileSync(new URL('../mappings/default.json', import.meta.url), 'utf8'));
export const IDENTITY = { version: 1, tables: [{ source: 'public.payments' }] };
/** The default mapping, of payments alone. */
export const PAYMENTS = { ...DEFAULT_MAPPING, tables: DEFAULT_MAPPING.tables.filter((/** @type {{source: string}} */ table) => table.source === 'public.payments') };

/** @typedef {{name: string, value: string, target: string, met: boolean | null}} Figure */

/** Rows like those of a busy platform. Foreign keys are not checked: the other tables stay empty. @param {string} from @param {string} to */
export const payments = (from, to) => `
  INSERT INTO payments (payment_id, created_at, merchant_id, customer_id, card_id, amount, currency, state, reference, description, metadata, client_ip, captured_at, internal_note)
  SELECT i, timestamptz '2024-01-01 00:00:00+00' + i * interval '20 seconds', 1 + i % 5000, i % 900000, i % 1200000, (i % 1000000)::numeric / 100,
         (ARRAY['EUR', 'CHF', 'USD', 'GBP'])[1 + i % 4], (ARRAY['N', 'A', 'C', 'R', 'F'])[1 + i % 5]::payment_state, 'REF-' || i || '-' || (i * 7919) % 100003,
         'order ' || i, jsonb_build_object('channel', 'web', 'attempt', i % 3), ('10.' || i % 200 || '.' || i % 250 || '.7')::inet,
         CASE WHEN i % 5 > 1 THEN timestamptz '2024-01-02 00:00:00+00' + i * interval '20 seconds' END, NULL
    FROM generate_series(${from}::bigint, ${to}::bigint) AS i`;

/**
 * What the target is compared with: two `psql` with a pipe between, foreign keys off as in a copy by a replica.
 * @param {import('../test/support/lab.mjs').Lab} lab @param {string} target database
 */
export async function psqlPipe(lab, target) {
  const shell = spawn(
    'sh',
    ['-c', `set -e; psql -X -q -d "$FROM" -c 'COPY (SELECT * FROM payments) TO STDOUT' | psql -X -q -d "$TO" -c 'COPY payments FROM STDIN'`],
    { stdio: 'inherit', env: { ...process.env, FROM: address(lab.blue, lab.database), TO: address(lab.green, target), PGOPTIONS: '-c session_replication_role=replica' } },
  );
  const code = await new Promise((resolve) => shell.once('close', resolve));
  if (code !== 0) throw new Error(`psql ended with ${code}`);
}

/** @param {import('../test/support/postgres.mjs').Server} server @param {string} database */
const address = (server, database) => `host=${server.host} port=${server.port} user=postgres password=${server.password} dbname=${database}`;

/** @template T @param {() => Promise<T>} work @returns {Promise<{seconds: number, result: T}>} */
export async function timed(work) {
  const began = process.hrtime.bigint();
  const result = await work();
  return { seconds: Number(process.hrtime.bigint() - began) / 1e9, result };
}

/** One run of sync as a process. @param {import('../test/support/lab.mjs').Lab} lab @param {import('../test/support/lab.mjs').Options} options @param {boolean} [back] from green to blue */
export async function runProcess(lab, options, back = false) {
  const { seconds, result } = await timed(() => lab.spawn('run', { seconds: 840, ...options }, { back, whole: true }).ended);
  if (result.code !== 0) throw new Error(result.output);
  const { answer, maxRss } = JSON.parse(/** @type {string} */ (result.output.trim().split('\n').at(-1)));
  return { seconds, answer, megabytes: maxRss / 1024 };
}

/** Runs a block that commits inside, without foreign keys. @param {import('../test/support/postgres.mjs').Server} server @param {string} block */
export async function runBlock(server, block) {
  const client = await server.connect('bench', { options: '-c session_replication_role=replica -c synchronous_commit=off' });
  await client.query(block);
  await client.end();
}

/** @param {number} n */
export const thousands = (n) => Math.round(n).toLocaleString('en');
