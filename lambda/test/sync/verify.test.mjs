import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hook } from '../support/hooks.mjs';
import { Lab, Steps } from '../support/lab.mjs';
import { maskOf } from '../support/masks.mjs';
import { Writers } from '../support/writers.mjs';
import { verify } from '../../src/verify/run.mjs';
import { Context } from '../../src/sync/context.mjs';
import { parseSnapshot, takeMoment } from '../../src/verify/snapshot.mjs';

const DDL = `CREATE TABLE t (id bigserial PRIMARY KEY, v text UNIQUE, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
  CREATE TABLE named (name text PRIMARY KEY, n integer, w text); CREATE SEQUENCE loose;`;
const OPTIONS = {
  mapping: { version: 1, tables: [{ source: 'public.t' }, { source: 'public.named', columns: { label: 'w', n: { from: 'n', ifNull: 0 } } }] },
};

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start()));
after(() => servers.remove());

test('both sides are compared at one moment while blue is written to', async () => {
  const lab = await servers.fresh('moment', DDL, DDL.replace('w text', 'label text'));
  await lab.onBlue(`INSERT INTO t (v, big) SELECT 'v' || i, repeat('b', 3000) FROM generate_series(1, 3000) i; INSERT INTO named SELECT 'n' || i, i, 'w' FROM generate_series(1, 2000) i`);
  await lab.untilSynced(OPTIONS);
  const writers = new Writers(lab);
  try {
    for (let i = 0; i < 6; i += 1)
      writers.start([
        async (c, r) => void (await c.query('UPDATE t SET v = $2 WHERE id = $1', [r(3000), `u${r(1e9)}`])),
        async (c, r) => void (await c.query('INSERT INTO t (v) VALUES ($1)', [`i${r(1e9)}`])),
        async (c, r) => void (await c.query('DELETE FROM named WHERE name = $1', [`n${r(2000)}`])),
        async (c, r) => {
          await c.query('SET LOCAL synchronous_commit = off');
          await c.query('UPDATE named SET n = n + 1 WHERE name = $1', [`n${r(2000)}`]);
        },
      ]);
    for (let i = 0; i < 6; i += 1) {
      const verdict = await lab.verify(OPTIONS);
      assert.deepEqual([verdict.verdict, verdict.ok, verdict.mismatches], ['equal', true, 0], JSON.stringify(verdict.tables));
    }
  } finally {
    await writers.stop();
  }
});

test('what differs is found, by key and never by value; sequences are raised, never lowered', async () => {
  const lab = await servers.fresh('differs', DDL, DDL.replace('w text', 'label text'));
  await lab.onBlue(`INSERT INTO t (v) SELECT 'secret' || i FROM generate_series(1, 201000) i; INSERT INTO named VALUES ('x', 1, 'secret'), ('y', NULL, 'secret'); SELECT setval('loose', 41)`);
  await lab.onGreen("SELECT setval('loose', 99)");
  await lab.untilSynced(OPTIONS);
  assert.deepEqual((await lab.verify(OPTIONS)).sequences, { checked: 2, raised: 2 });
  assert.equal((await lab.onGreen("INSERT INTO t (v) VALUES ('new') RETURNING id")).rows[0].id, '1201001'); // blue's plus the gap
  assert.equal((await lab.onGreen("SELECT nextval('loose') AS n")).rows[0].n, '1000042');
  await lab.onGreen("SELECT setval('loose', 5000000)");
  assert.deepEqual((await lab.verify(OPTIONS)).sequences, { checked: 2, raised: 0 });

  await lab.onGreen("DELETE FROM t WHERE id = 7; UPDATE t SET v = 'other' WHERE id = 120000; UPDATE named SET n = 5 WHERE name = 'y'");
  const verdict = await lab.verify(OPTIONS);
  assert.deepEqual([verdict.ok, verdict.verdict, verdict.mismatches], [false, 'different', 4]);
  const [t, named] = verdict.tables;
  assert.deepEqual([t?.missing, t?.extra, t?.different, t?.ranges, t?.firstKeys], [1, 1, 1, 3, await Promise.all([7, 120000, 1201001].map(async (id) => ({ id: await maskOf(lab, 'public.t.id', id) })))]);
  assert.deepEqual([named?.missing, named?.extra, named?.different, named?.firstKeys], [0, 0, 1, [{ name: await maskOf(lab, 'public.named.name', 'y') }]]);
  assert.ok(!JSON.stringify(verdict).includes('secret') && !lab.lines.join().includes('secret'));
  assert.deepEqual((await lab.verify(OPTIONS, ['public.named'])).tables.map(({ source }) => source), ['public.named']);
  await assert.rejects(lab.verify(OPTIONS, ['public.nothing']), { code: 'EVENT' });
});

test('what the time does not suffice for is named, and no verdict is given on it', async () => {
  const lab = await servers.fresh('short', DDL, DDL.replace('w text', 'label text'));
  await lab.onBlue("INSERT INTO t (v) VALUES ('x'); INSERT INTO named VALUES ('x', 1, 'w')");
  await lab.untilSynced(OPTIONS);
  /** @type {string[][]} */
  const left = [];
  for (let steps = 0; left.at(-1)?.length !== 0; steps += 1) {
    const verdict = await verify({ ...lab.invocation(OPTIONS), deadline: new Steps(steps) });
    assert.deepEqual([verdict.ok, verdict.verdict], verdict.notCompared.length === 0 ? [true, 'equal'] : [false, 'incomplete']);
    left.push(verdict.notCompared);
  }
  assert.ok(left.some((names) => names.join() === 'public.t,public.named') && left.some((names) => names.join() === 'public.named'), JSON.stringify(left));
});

test('while large values of a row in quarantine are read from blue all the time there is no moment to compare at; afterwards there is', async () => {
  const ddl = 'CREATE TABLE t (id int PRIMARY KEY, n int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL';
  const lab = await servers.fresh('no_moment', ddl, ddl.replace('n int', 'n int CHECK (n < 0)'));
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  await lab.onBlue("INSERT INTO t VALUES (1, -1, 'small'), (2, 1, repeat('b', 5000))");
  await lab.untilSynced(options);
  // After each snapshot, before the stream is read up to it: the snapshot does not see the change, the row that is read from blue has it.
  const client = await lab.blue.connect(lab.database);
  let snapshots = 0;
  const change = () => client.query('UPDATE t SET n = n + 1 WHERE id = 2');
  const invocation = hook(lab.invocation(options), {
    after: async (sql) => {
      if (!sql.includes('pg_export_snapshot')) return;
      snapshots += 1;
      await change();
    },
  });
  await change();
  const context = await Context.open(invocation);
  try {
    await assert.rejects(takeMoment(context), { name: 'TransientError', code: 'NO_MOMENT', hint: /less busy/ });
    assert.ok(snapshots >= 10, `${snapshots} attempts`);
  } finally {
    await context.close();
    await client.end();
  }
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.verdict, verdict.quarantined, verdict.tables[0]?.greenRows], ['held-back', 1, 1]);
});

test('before the copy is complete the verdict is no', async () => {
  const lab = await servers.fresh('early', DDL, DDL.replace('w text', 'label text'));
  assert.deepEqual([(await lab.verify(OPTIONS)).ok, (await lab.verify(OPTIONS)).verdict], [false, 'not-following']);
});

test('a snapshot tells which transactions it sees, also where the 32 bits of the stream wrap around', () => {
  const sees = parseSnapshot('100:105:101,103');
  assert.deepEqual([99, 100, 101, 102, 103, 104, 105, 106].map(sees), [true, true, false, true, false, true, false, false]);
  const wrapped = parseSnapshot('4294967290:4294967300:4294967295,4294967298');
  assert.deepEqual([4294967289, 4294967295, 0, 2, 3, 4, 5].map(wrapped), [true, false, true, false, true, false, false]);
});

test("the mapping's invariants: one that does not hold makes the verdict, one that is no query is a problem, and none can write", async () => {
  const lab = await servers.fresh('invariants', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  const options = (/** @type {string} */ violations) => ({ mapping: { version: 1, tables: [{ source: 'public.t' }], invariants: [{ name: 'no empty text', violations }] } });
  await lab.onBlue("INSERT INTO t VALUES (1, 'a'), (2, ''), (3, '')");
  const holds = options('SELECT id FROM public.t WHERE v = $$x$$');
  await lab.untilSynced(holds);
  assert.deepEqual([(await lab.verify(holds)).verdict, (await lab.verify(holds)).invariants], ['equal', [{ name: 'no empty text', violations: 0 }]]);
  const broken = await lab.verify(options("SELECT id FROM public.t WHERE v = ''"));
  assert.deepEqual([broken.ok, broken.verdict, broken.mismatches, broken.invariants], [false, 'different', 0, [{ name: 'no empty text', violations: 2 }]]);
  for (const text of ['SELECT nothing FROM public.t', 'SELECT 1) x; DROP TABLE public.t; --', 'SELECT id FROM public.t WHERE 1 / (id - id) = 0', "SELECT * FROM public.put()"]) {
    if (text.includes('put')) await lab.onGreen("CREATE FUNCTION put() RETURNS int LANGUAGE sql AS $$ INSERT INTO public.t VALUES (9, 'z') RETURNING id $$");
    const verdict = await lab.verify(options(text));
    assert.deepEqual([verdict.ok, verdict.verdict, verdict.problems.length], [false, 'incomplete', 1], `${text}: ${JSON.stringify(verdict.problems)}`);
  }
  assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM t')).rows[0].n, 3);
});
