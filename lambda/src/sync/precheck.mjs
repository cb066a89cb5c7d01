import { PermanentError } from '../lib/errors.mjs';
import { dotted } from '../pg/text.mjs';

/**
 * What both users may do, looked at before anything is made on blue: a migration that fails half-way leaves a publication and a slot there.
 *
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('../pg/session.mjs').Session} Session
 */

/** @param {Context} context */
export async function checkRights({ blue, green, tables, state }) {
  await checkBlue(blue, tables, state.slot);
  await checkGreen(green, tables);
}

/** @param {string} side @param {string} what @param {string} [table] */
const missing = (side, what, table) =>
  new PermanentError('DATABASE_REFUSED', `${side}: the user ${what}`, { sqlstate: '42501', table, hint: 'a grant is missing: README.md lists what the users of blue and green need' });

/** @param {Session} blue @param {import('./table.mjs').SyncTable[]} tables @param {string} slot that a killed run may have left */
async function checkBlue(blue, tables, slot) {
  const [replicates, creates, free] = await blue.row(
    `SELECT r.rolsuper OR r.rolreplication OR EXISTS (SELECT FROM pg_roles m WHERE m.rolname = 'rds_replication' AND pg_has_role(m.oid, 'MEMBER')),
            has_database_privilege(current_database(), 'CREATE'), current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> $1)
       FROM pg_roles r WHERE r.rolname = current_user`, [slot]);
  if (replicates !== 't') throw missing('blue', 'may not make a replication slot (REPLICATION, on Aurora rds_replication)');
  if (creates !== 't') throw missing('blue', 'may not make a publication (CREATE on the database)');
  if (Number(free) < 2)
    throw new PermanentError('NO_FREE_SLOT', `blue has ${Number(free)} free replication slots, two are needed to begin`, {
      sqlstate: '53400', hint: 'drop slots that nobody reads, or raise max_replication_slots',
    });
  for (const { source, plan } of tables) {
    const [owned, hidden] = await blue.row(`SELECT pg_has_role(relowner, 'USAGE'), row_security_active(oid) FROM pg_class WHERE oid = $1`, [source.oid]);
    if (owned !== 't') throw missing('blue', `does not own the table ${dotted(source)}, so it may not publish it`, dotted(source));
    if (hidden === 't') throw hides('blue', dotted(source));
    for (const leaf of source.leaves) {
      const [reads, leafHidden] = await blue.row(
        `SELECT has_table_privilege($1::oid, 'SELECT') OR NOT EXISTS (SELECT FROM unnest($2::text[]) AS c WHERE NOT has_column_privilege($1::oid, c, 'SELECT')), row_security_active($1::oid)`,
        [leaf.oid, [...plan.sourceColumns, ...plan.computed]]);
      if (reads !== 't') throw missing('blue', `may not read the table ${dotted(leaf)}`, dotted(leaf));
      if (leafHidden === 't') throw hides('blue', dotted(leaf));
    }
  }
}

/** @param {Session} green @param {import('./table.mjs').SyncTable[]} tables */
async function checkGreen(green, tables) {
  const [temporary] = await green.row("SELECT has_database_privilege(current_database(), 'TEMPORARY')");
  if (temporary !== 't') throw missing('green', 'may not make temporary tables (TEMPORARY on the database)');
  for (const { target, targetName } of tables) {
    const [lacks, schema, hidden] = await green.row(
      `SELECT (SELECT string_agg(p, ', ') FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p WHERE NOT has_table_privilege(c.oid, p)),
              has_schema_privilege(c.relnamespace, 'USAGE'), row_security_active(c.oid) FROM pg_class c WHERE c.oid = $1`, [target.oid]);
    if (schema !== 't') throw missing('green', `may not use the schema of ${targetName}`, targetName);
    if (lacks !== null) throw missing('green', `lacks ${lacks} on the table ${targetName}`, targetName);
    if (hidden === 't') throw hides('green', targetName);
  }
}

/** @param {string} side @param {string} table */
const hides = (side, table) =>
  new PermanentError('DATABASE_REFUSED', `${side}: a row security policy would hide rows of ${table} from the user`, {
    sqlstate: '42501', table, hint: 'give the user BYPASSRLS, or let it be the owner of a table that does not force row security',
  });
