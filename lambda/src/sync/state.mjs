import { MigrationError, PermanentError } from '../lib/errors.mjs';
import { formatLsn, parseLsn } from '../pg/text.mjs';

/**
 * The migration's memory on green, in the schema `payment_migration`. It changes in the same transaction as the data it speaks of,
 * so a killed run leaves both or neither.
 *
 * @typedef {'starting' | 'copying' | 'following' | 'stopped'} Phase
 *
 * @typedef {object} State
 * @property {Phase} phase
 * @property {string} slot
 * @property {string} publication
 * @property {string} mappingHash the mapping that the copy began with
 * @property {Record<string, import('./schema.mjs').TableRecord>} schema of blue's mapped tables, when the copy began
 * @property {Partial<import('./identity.mjs').Identity> & {pair?: string, publication?: string, preparedAt?: string, accepted?: string[], contested?: boolean, split?: boolean, whole?: number[], wholeOfBlue?: number[], merged?: number, closed?: boolean, joined?: Record<string, string>, attached?: Record<string, string | null>}} identity of both clusters and of the publication. Of the way back also when it
 *   was prepared (green's clock), the columns of blue that were accepted as
 *   irreversible, and whether a way back was forced since (contested.mjs). `split`: both sides take writes by the rules of split/rules.mjs; `whole`: tables of this stream's source that were
 *   given REPLICA IDENTITY FULL for that; `wholeOfBlue`: on blue, those of blue, so that they are known there when green is gone; `merged`: rows that both had changed; `closed`: green was closed to its application when the copy began, and control
 *   has not taken that over yet; `joined`: partitions (OIDs) that came since, and in which transactions; `attached`: those of them that are still to be read as a whole, with the key up to which that is done, sealed
 * @property {bigint} applied every transaction that committed up to here is on green
 * @property {bigint} consistent from here on green equals blue at one moment; before, it is a mixture of moments
 * @property {bigint} copied blue's position at the end of the full copy
 * @property {Record<string, string>} unconfirmed see backfill.mjs
 * @property {{lsn: bigint, changes: number}} inside a transaction (by the LSN of its commit) of which some changes are on green
 * @property {bigint} rowsCopied
 * @property {bigint} changesApplied
 * @property {string | null} syncedUntil blue's clock: everything that had committed then is on green
 * @property {string | null} startedAt
 *
 * @typedef {object} CopyUnit one plain table of blue (a partition, where a table has some) to be copied
 * @property {number} oid of it, since it may get another name
 * @property {string} unit `schema.name` when the copy began
 * @property {string} source `schema.name` of the mapped table that it is a part of
 * @property {string[] | null} cursor the source key up to which rows are on green; on green it stands sealed, until the unit is done
 * @property {boolean} done
 * @property {number} rows copied so far
 * @property {number} estimate of rows in all
 */

export const SCHEMA = 'payment_migration';

const DDL = `
CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
CREATE TABLE IF NOT EXISTS ${SCHEMA}.state (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), phase text NOT NULL, slot text NOT NULL, publication text NOT NULL,
  mapping_hash text NOT NULL, source_schema jsonb NOT NULL, applied_lsn pg_lsn NOT NULL DEFAULT '0/0', consistent_lsn pg_lsn NOT NULL DEFAULT '0/0', copied_lsn pg_lsn NOT NULL DEFAULT '0/0', unconfirmed jsonb NOT NULL DEFAULT '{}',
  inside_lsn pg_lsn NOT NULL DEFAULT '0/0', inside_changes bigint NOT NULL DEFAULT 0, rows_copied bigint NOT NULL DEFAULT 0,
  changes_applied bigint NOT NULL DEFAULT 0, synced_until timestamptz, started_at timestamptz NOT NULL DEFAULT now(), identity jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 20);
CREATE TABLE IF NOT EXISTS ${SCHEMA}.copy (
  oid oid PRIMARY KEY, unit text NOT NULL, source text NOT NULL, cursor text, done boolean NOT NULL DEFAULT false, rows bigint NOT NULL DEFAULT 0, estimate bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS ${SCHEMA}.quarantine (
  source text NOT NULL, key text NOT NULL, reason text NOT NULL, column_name text, since timestamptz NOT NULL DEFAULT now(),
  refused boolean NOT NULL DEFAULT false, provisional boolean NOT NULL DEFAULT false, source_key text NOT NULL, checked timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (source, key)
);
CREATE TABLE IF NOT EXISTS ${SCHEMA}.verified (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), at timestamptz NOT NULL, verdict text NOT NULL);
CREATE TABLE IF NOT EXISTS ${SCHEMA}.leaves (oid oid PRIMARY KEY, source text NOT NULL, bounds text[] NOT NULL, storage text NOT NULL);`;

const TABLES = ['state', 'copy', 'quarantine', 'leaves', 'verified'];
/** An application may have a table of that name. */
const IS_OURS = "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'applied_lsn')";
const LIST = TABLES.map((name) => `'${name}'`).join(', ');

/** @param {import('../pg/session.mjs').Session} green */
export async function createTables(green) {
  const [there] = await green.row(`SELECT count(*) FROM pg_tables WHERE schemaname = '${SCHEMA}' AND tablename IN (${LIST})`);
  if (there === String(TABLES.length)) return;
  const [taken] = await green.rows(
    `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = '${SCHEMA}' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND (c.relname NOT IN (${LIST}) OR c.relname = 'state' AND NOT ${IS_OURS}) LIMIT 1`);
  if (taken !== undefined)
    throw new PermanentError('NAME_TAKEN', `${green.side} has a schema ${SCHEMA} of its own, with ${taken[0]}: the migration keeps its memory in a schema of that name`, {
      table: `${SCHEMA}.${taken[0]}`, hint: 'rename the schema (ALTER SCHEMA ... RENAME TO) for the time of the migration',
    });
  await green.run(DDL);
}

/** @param {import('../pg/session.mjs').Session} session */
const isOurs = async (session) => (await session.row(`SELECT ${IS_OURS} FROM (SELECT to_regclass('${SCHEMA}.state') AS oid) AS c`))[0] === 't';

/** What the migration has made, and no more: the schema stays where something else is in it. Both go at once or not at all. @param {import('../pg/session.mjs').Session} session */
export async function dropSchema(session) {
  if (!(await isOurs(session))) return;
  const made = `DROP TABLE IF EXISTS ${TABLES.map((name) => `${SCHEMA}.${name}`).join(', ')}; DROP FUNCTION IF EXISTS ${SCHEMA}.fence(), ${SCHEMA}.one_writer()`;
  await session.run(`${made}; DROP SCHEMA ${SCHEMA}`).catch(async (error) => {
    if (!(error instanceof MigrationError) || error.sqlstate !== '2BP01') throw error;
    await session.run(made);
  });
}

/** @param {import('../pg/session.mjs').Session} green @returns {Promise<State | undefined>} */
export async function readState(green) {
  if (!(await isOurs(green))) return undefined;
  const [row] = await green.rows(
    `SELECT phase, slot, publication, mapping_hash, source_schema, applied_lsn, consistent_lsn, inside_lsn, inside_changes, rows_copied,
            changes_applied, synced_until, started_at, copied_lsn, unconfirmed, identity FROM ${SCHEMA}.state`,
  );
  if (row === undefined) return undefined;
  const [phase, slot, publication, mappingHash, schema, applied, consistent, insideLsn, insideChanges, rowsCopied, changes, syncedUntil, startedAt, copied, unconfirmed, identity] = row;
  return {
    phase: /** @type {Phase} */ (phase), slot: slot ?? '', publication: publication ?? '', mappingHash: mappingHash ?? '',
    schema: JSON.parse(schema ?? '{}'), applied: parseLsn(applied), consistent: parseLsn(consistent),
    inside: { lsn: parseLsn(insideLsn), changes: Number(insideChanges) }, copied: parseLsn(copied), unconfirmed: JSON.parse(unconfirmed ?? '{}'), rowsCopied: BigInt(rowsCopied ?? 0), changesApplied: BigInt(changes ?? 0),
    syncedUntil: syncedUntil ?? null, startedAt: startedAt ?? null, identity: JSON.parse(identity ?? '{}'),
  };
}

/** Writes the whole state, as part of the transaction that is open on green, if one is. @param {import('../pg/session.mjs').Session} green @param {State} state */
export async function writeState(green, state) {
  await green.run(
    `INSERT INTO ${SCHEMA}.state AS s (phase, slot, publication, mapping_hash, source_schema, applied_lsn, consistent_lsn, inside_lsn,
                                       inside_changes, rows_copied, changes_applied, synced_until, copied_lsn, unconfirmed, identity)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     ON CONFLICT (only_one) DO UPDATE SET phase = $1, slot = $2, publication = $3, mapping_hash = $4, source_schema = $5, applied_lsn = $6,
       consistent_lsn = $7, inside_lsn = $8, inside_changes = $9, rows_copied = $10, changes_applied = $11, synced_until = $12, copied_lsn = $13,
       unconfirmed = $14, identity = $15`,
    [
      state.phase, state.slot, state.publication, state.mappingHash, JSON.stringify(state.schema), formatLsn(state.applied),
      formatLsn(state.consistent), formatLsn(state.inside.lsn), state.inside.changes, state.rowsCopied.toString(), state.changesApplied.toString(), state.syncedUntil,
      formatLsn(state.copied), JSON.stringify(state.unconfirmed), JSON.stringify(state.identity),
    ],
  );
}

/**
 * @param {import('../pg/session.mjs').Session} green
 * @param {(sealed: string) => string} [unseal] without it, a cursor is only known to be there
 * @returns {Promise<CopyUnit[]>}
 */
export async function readUnits(green, unseal = () => '[]') {
  const rows = await green.rows(`SELECT oid, unit, source, cursor, done, rows, estimate FROM ${SCHEMA}.copy ORDER BY estimate DESC, unit`);
  return rows.map(([oid, unit, source, cursor, done, count, estimate]) => ({
    oid: Number(oid), unit: unit ?? '', source: source ?? '', cursor: /** @type {string[] | null} */ (cursor ? JSON.parse(unseal(cursor)) : null), done: done === 't',
    rows: Number(count), estimate: Number(estimate),
  }));
}

/** @param {import('../pg/session.mjs').Session} green @param {CopyUnit} unit @param {(text: string) => string} seal */
export async function writeUnit(green, unit, seal) {
  await green.run(
    `INSERT INTO ${SCHEMA}.copy (oid, unit, source, cursor, done, rows, estimate) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (oid) DO UPDATE SET cursor = $4, done = $5, rows = $6`,
    [unit.oid, unit.unit, unit.source, unit.cursor === null || unit.done ? null : seal(JSON.stringify(unit.cursor)), unit.done, unit.rows, unit.estimate],
  );
}

/** What verify has found, when it compared all tables. @param {import('../pg/session.mjs').Session} green @param {string} verdict */
export async function writeVerified(green, verdict) {
  await green.run(`INSERT INTO ${SCHEMA}.verified (at, verdict) VALUES (clock_timestamp(), $1) ON CONFLICT (only_one) DO UPDATE SET at = excluded.at, verdict = excluded.verdict`, [verdict]);
}
