/**
 * Random histories on tables of random shape, cut at random places: what green holds follows from what blue holds, and what does not is held back and counted.
 * `RANDOM_SEED=100 RANDOM_ROUNDS=50 npm test -- sync/random` plays others.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TransientError } from '../../src/lib/errors.mjs';
import { run } from '../../src/sync/run.mjs';
import { Lab, Steps } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { randomFrom } from '../support/writers.mjs';

const FIRST = Number(process.env['RANDOM_SEED'] ?? 1);
const ROUNDS = Number(process.env['RANDOM_ROUNDS'] ?? 4);

/** @typedef {(below: number) => number} Random @typedef {import('../support/lab.mjs').Options} Options */

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '400' })));
after(() => servers.remove());

/** @param {Random} random @returns {Options['tuning']} */
const small = (random) => ({ batchChanges: 1 + random(12), commitChanges: 3 + random(20), chunkRows: 1 + random(9), rangeRows: 1 + random(9), carefulRows: 1 + random(4) });

/** Runs that end anywhere, and changes between and beside them. @param {Lab} lab @param {Options} options @param {Random} random @param {() => Promise<void>} change */
async function play(lab, options, random, change) {
  for (let i = 0; i < 20; i += 1) await change();
  for (let round = 0; round < 10; round += 1) {
    const invocation = lab.invocation(options);
    const running = run(random(2) === 0 ? invocation : { ...invocation, deadline: new Steps(2 + random(8)) });
    running.catch(() => {}); // thrown where it is awaited
    for (let i = random(2) * (2 + random(4)); i > 0; i -= 1) await change();
    // A deadlock with the changes, for one: the next call goes on.
    await running.catch((error) => error instanceof TransientError || Promise.reject(error));
    for (let i = random(5); i > 0; i -= 1) await change();
  }
  await lab.untilSynced(options);
}

/** Some row. @param {Random} random @param {string} [but] */
const some = (random, but = 'true') => `(SELECT id FROM t WHERE ${but} ORDER BY md5(id::text || '${random(1e6)}') LIMIT 1)`;

/** Two rows change places in these columns. @param {Random} random @param {string[]} columns @param {string} between the values of the one while the other takes its own */
const exchange = (random, columns, between) => `DO $$ DECLARE a t; b t; BEGIN
  SELECT * INTO a FROM t WHERE id = ${some(random)}; SELECT * INTO b FROM t WHERE id = ${some(random, 'id <> a.id')};
  IF b.id IS NOT NULL THEN UPDATE t SET ${between} WHERE id = a.id; UPDATE t SET ${columns.map((c) => `${c} = a.${c}`).join(', ')} WHERE id = b.id;
    UPDATE t SET ${columns.map((c) => `${c} = b.${c}`).join(', ')} WHERE id = ${columns.includes('id') ? '-1' : 'a.id'}; END IF; END $$`;

test('rows with keys and values out of line, unique values that change places, filters, checks and partitions', { timeout: 60_000 + ROUNDS * 30_000 }, async () => {
  for (let seed = FIRST; seed < FIRST + ROUNDS; seed += 1) {
    const random = randomFrom(seed * 7919);
    const [kind, full, unique, check, filter, whole] = /** @type {const} */ ([random(4), random(4) === 0, random(4), random(2) === 0, random(2) === 0, random(3)]);
    const key = kind === 2 ? 'id, grp' : kind === 0 && random(2) === 0 ? 'k' : 'id';
    const columns = 'id int NOT NULL, grp int NOT NULL, k text NOT NULL, u int, big text, amount numeric, state state';
    // 0: none; 1, 2: on both sides, checked late on blue or not; 3: on green alone. Of a partitioned table of blue there is none.
    const onBlue = kind !== 0 || unique === 0 || unique === 3 ? '' : `, UNIQUE (u)${unique === 2 ? ' DEFERRABLE' : ''}`;
    const greenAlone = unique === 3 || (unique !== 0 && onBlue === '');
    const [by, leaves] = /** @type {[string, string[]]} */ ([
      ['', []], [' PARTITION BY RANGE (id)', ['FOR VALUES FROM (0) TO (20)', 'FOR VALUES FROM (20) TO (40)', 'DEFAULT']], [' PARTITION BY LIST (grp)', ['FOR VALUES IN (0)', 'FOR VALUES IN (1, 2)', 'DEFAULT']],
      [' PARTITION BY HASH (id)', ['FOR VALUES WITH (MODULUS 2, REMAINDER 0)', 'FOR VALUES WITH (MODULUS 2, REMAINDER 1)']],
    ][kind]);
    const names = leaves.length === 0 ? ['t'] : leaves.map((_, i) => `t_${i}`);
    const type = "CREATE TYPE state AS ENUM ('a', 'b', 'x')";
    const lab = await servers.fresh(`rows_${seed}`,
      `${type}; CREATE TABLE t (${columns}, PRIMARY KEY (${key})${onBlue})${by}; ${leaves.map((bounds, i) => `CREATE TABLE t_${i} PARTITION OF t ${bounds};`).join('')}
       ${names.map((name) => `ALTER TABLE ${name} ALTER big SET STORAGE EXTERNAL; ALTER TABLE ${name} ALTER k SET STORAGE EXTERNAL;${full ? `ALTER TABLE ${name} REPLICA IDENTITY FULL;` : ''}`).join('')}`,
      `${type}; CREATE TABLE t (${columns}, PRIMARY KEY (${key})${unique === 0 ? '' : ', UNIQUE (u)'}${check ? ', CHECK (amount < 900)' : ''})`);
    const big = [{}, { columns: { big: { from: 'big', ifNull: '-' } } }, { columns: { big: { from: 'big', map: { s1: 'S1' }, otherwise: 'carry' } } }][whole];
    const options = { mapping: { version: 1, limits: { quarantine: 100_000 }, tables: [{ source: 'public.t', ...(filter && { where: { column: 'state', notIn: ['x'] } }), ...big }] }, tuning: small(random) };

    let next = 0;
    const text = () => ['NULL', `'s${random(9)}'`, `repeat('${'abcdefgh'[random(8)]}', ${2100 + random(2000)})`][random(3)];
    const keyText = (/** @type {number} */ n) => `'k${n}' || repeat('x', ${random(3) === 0 ? 2300 : 3})`;
    const row = (/** @type {number} */ id) => `(${id}, ${random(4)}, ${keyText(id)}, ${random(5) === 0 ? 'NULL' : greenAlone ? random(40) : 1000 + id}, ${text()}, ${random(1000)}, '${'abx'[random(3)]}')`;
    /** @type {[number, () => string][]} how often, and what */
    const kinds = [
      [25, () => `INSERT INTO t VALUES ${row((next += 1))}`], [15, () => `UPDATE t SET amount = ${random(1000)} WHERE id = ${some(random)}`], [10, () => `UPDATE t SET big = ${text()} WHERE id = ${some(random)}`],
      [10, () => `UPDATE t SET state = '${'abx'[random(3)]}' WHERE id = ${some(random)}`], [6, () => `DELETE FROM t WHERE id = ${some(random)}`], [8, () => `UPDATE t SET id = ${(next += 1)} WHERE id = ${some(random)}`],
      [5, () => `UPDATE t SET k = ${keyText((next += 1))} WHERE id = ${some(random)}`], [5, () => `UPDATE t SET grp = ${random(4)} WHERE id = ${some(random)}`],
      [4, () => exchange(random, ['u'], 'u = NULL')], [2, () => exchange(random, ['id', 'k'], "id = -1, k = '-'")], [2, () => (kind === 3 ? 'TRUNCATE t' : `TRUNCATE ${names[random(names.length)]}`)], [1, () => 'TRUNCATE t'],
      [2, () => (unique === 2 && onBlue !== '' ? 'UPDATE t SET u = u + 1' : 'UPDATE t SET amount = amount')], [2, () => `SAVEPOINT s; UPDATE t SET amount = 5; ${random(2) === 0 ? 'TRUNCATE t' : 'DELETE FROM t WHERE id % 2 = 0'}; ROLLBACK TO s`],
      [1, () => `DELETE FROM t WHERE id = ${next}; INSERT INTO t VALUES ${row(next)}`], [2, () => 'UPDATE t SET amount = amount + 1 WHERE id % 3 = 0'],
    ];
    const drawn = kinds.flatMap(([times, make]) => Array.from({ length: times }, () => make));
    const transaction = async () => {
      const client = await lab.blue.connect(lab.database);
      await client.query('BEGIN');
      for (let left = 1 + random(random(3) === 0 ? 30 : 4); left > 0; left -= 1) {
        await client.query('SAVEPOINT statement');
        await client.query(/** @type {() => string} */ (drawn[random(drawn.length)])()).catch(() => client.query('ROLLBACK TO statement'));
      }
      await client.query(random(10) === 0 ? 'ROLLBACK' : 'COMMIT');
      await client.end();
    };
    await play(lab, options, random, transaction);

    const mapped = `SELECT id, grp, k, u, ${['big', "coalesce(big, '-')", "CASE big WHEN 's1' THEN 'S1' ELSE big END"][whole]} AS big, amount, state FROM t${filter ? " WHERE state <> 'x'" : ''}`;
    /** @typedef {{row: string, u: number | null, amount: string | null}} Row */
    const read = (/** @type {string} */ from) => `SELECT md5(x::text) AS row, u, amount FROM (${from}) x`;
    const [expected, actual] = /** @type {{rows: Row[]}[]} */ (await Promise.all([lab.onBlue(read(mapped)), lab.onGreen(read('SELECT id, grp, k, u, big, amount, state FROM t'))]));
    if (expected === undefined || actual === undefined) throw new Error('no rows');
    const fit = expected.rows.filter(({ amount }) => !check || amount === null || Number(amount) < 900);
    const known = new Set(fit.map((one) => one.row));
    assert.deepEqual(actual.rows.filter((one) => !known.has(one.row)), [], `seed ${seed}: rows of green that blue has not`);
    // Of rows that share a value which is unique on green alone, one is there.
    const there = greenAlone ? new Set(fit.map(({ u, row: hash }) => u ?? hash)).size : fit.length;
    const held = Number((await lab.onGreen('SELECT count(*) FROM payment_migration.quarantine')).rows[0].count);
    assert.deepEqual([actual.rows.length, held], [there, expected.rows.length - there], `seed ${seed}`);
    assert.equal((await lab.verify(options)).verdict, held === 0 ? 'equal' : 'held-back', `seed ${seed}`);
    await lab.stop(options);
  }
});

test('partitions that come, are attached with rows, are truncated alone and together, and go', { timeout: 60_000 + ROUNDS * 30_000 }, async () => {
  for (let seed = FIRST; seed < FIRST + ROUNDS; seed += 1) {
    const random = randomFrom(seed * 104_729);
    const [rest, hashed] = [random(2) === 0, random(2) === 0];
    const lab = await servers.fresh(`partitions_${seed}`, `CREATE TABLE t (id int PRIMARY KEY, v int, big text) PARTITION BY RANGE (id); ${rest ? 'CREATE TABLE rest PARTITION OF t DEFAULT;' : ''} CREATE TABLE p_0 PARTITION OF t FOR VALUES FROM (0) TO (10)`,
      `CREATE TABLE t (key ${hashed ? 'text' : 'bigint'} PRIMARY KEY, v int, big text)`);
    const options = { mapping: { version: 1, tables: [{ source: 'public.t', columns: { key: hashed ? { hash: 'id' } : 'id' } }] }, tuning: small(random) };
    /** Partitions by their tens. */
    const parts = new Map([[0, 'p_0']]);
    let made = 0;
    /** What the database refuses did not happen. @param {string} sql */
    const done = (sql) => lab.onBlue(sql).then(() => true, () => false);
    const add = async () => {
      const [tens, name] = [random(8), `p_${(made += 1)}`];
      const bounds = `FOR VALUES FROM (${tens * 10}) TO (${tens * 10 + 10})`;
      const attached = `BEGIN; CREATE TABLE ${name} (id int PRIMARY KEY, v int, big text); INSERT INTO ${name} SELECT g, 5, 'along' FROM generate_series(${tens * 10}, ${tens * 10 + random(10)}) g; ${random(2) === 0 ? 'COMMIT; BEGIN;' : ''}
        ALTER TABLE t ATTACH PARTITION ${name} ${bounds}; COMMIT`;
      if (!parts.has(tens) && (await done(random(2) === 0 ? attached : `CREATE TABLE ${name} PARTITION OF t ${bounds}`))) parts.set(tens, name);
    };
    const change = async () => {
      const n = random(100);
      const [tens, name] = /** @type {[number, string]} */ ([...parts][random(parts.size)]);
      if (n < 45) await done(`INSERT INTO t VALUES (${random(90)}, ${random(100)}, ${random(2) === 0 ? "repeat('x', 2500)" : 'NULL'}) ON CONFLICT (id) DO UPDATE SET v = excluded.v`);
      else if (n < 55) await done(`UPDATE t SET id = ${random(90)} WHERE id = ${some(random)}`);
      else if (n < 60) await done(`DELETE FROM t WHERE id % ${2 + random(5)} = 0`);
      else if (n < 78) await add();
      else if (n < 86) hashed || (await done(`TRUNCATE ${rest && random(3) === 0 ? 'rest' : name}`)); // of a hashed key single partitions can't be told
      else if (n < 90) await done('TRUNCATE t');
      else if (n < 95) !hashed && parts.size > 1 && (await done(`TRUNCATE ${name}; DROP TABLE ${name}`)) && parts.delete(tens);
      else await done('UPDATE t SET v = v + 1');
    };
    await play(lab, options, random, change);
    const verdict = await lab.verify(options);
    assert.equal(verdict.verdict, 'equal', `seed ${seed}: ${JSON.stringify([verdict.tables, verdict.problems])}`);
    const sum = 'SELECT count(*) AS rows, sum(v) AS sum FROM t';
    assert.deepEqual((await lab.onGreen(sum)).rows, (await lab.onBlue(sum)).rows, `seed ${seed}`);
    await lab.stop(options);
  }
});
