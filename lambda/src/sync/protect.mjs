import { PermanentError } from '../lib/errors.mjs';
import { dropPublication } from '../pg/slot.mjs';
import { dotted } from '../pg/text.mjs';

/**
 * No statement of blue's application fails because of a migration. A published table whose rows PostgreSQL can't name in its log refuses updates and
 * deletes. The beginning looks for that; when it comes about later (a primary key is dropped, a partition without one is attached), the publication
 * goes at once, and the migration ends.
 * @param {import('../pg/session.mjs').Session} blue @param {string} publication @param {import('../pg/catalog.mjs').Catalog} source
 */
export async function releaseUnidentified(blue, publication, { tables }) {
  const leaf = Object.values(tables).flatMap(({ leaves }) => leaves).find(({ identified }) => !identified);
  if (leaf === undefined) return;
  await dropPublication(blue, publication);
  throw new PermanentError('REPLICA_IDENTITY', `blue's table ${dotted(leaf)} has lost the key that identifies its rows in the log: while it is published its updates and deletes fail, so the publication was dropped`, {
    table: dotted(leaf), hint: 'give it a primary key that is not DEFERRABLE, or REPLICA IDENTITY FULL; stop, empty the tables on green, and run again',
  });
}
