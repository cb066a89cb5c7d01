import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { maskSql } from '../support/masks.mjs';
import { Writers, randomFrom } from '../support/writers.mjs';

const KILLS = 50;

const BLUE = `
  CREATE TYPE state AS ENUM ('open', 'paid', 'odd');
  CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, balance numeric, note text, document text);
  ALTER TABLE accounts ALTER document SET STORAGE EXTERNAL;
  CREATE TABLE payments (id bigint, day date, account bigint REFERENCES accounts ON DELETE CASCADE, amount numeric, state state, memo text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE payments_01 PARTITION OF payments FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
  CREATE TABLE payments_02 PARTITION OF payments FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
  CREATE TABLE payments_rest PARTITION OF payments DEFAULT;
  CREATE TABLE events (id bigint PRIMARY KEY, kind text, state text, body text, extra text);
  ALTER TABLE events ALTER body SET STORAGE EXTERNAL;
  CREATE TABLE scratch (id bigint PRIMARY KEY, value text);`;
const GREEN = `
  ${BLUE.replace('CREATE TABLE events (id bigint PRIMARY KEY, kind text, state text, body text, extra text);', "CREATE TABLE events (event bigint PRIMARY KEY, what text, state text, body text, origin text, kind_and_extra text);")}`;
const MAPPING = {
  version: 1,
  limits: { quarantine: 1_000_000 },
  tables: [
    { source: 'public.accounts' },
    { source: 'public.payments' },
    { source: 'public.scratch' },
    {
      source: 'public.events', where: { column: 'kind', notIn: ['noise'] }, drop: [],
      columns: {
        event: 'id', what: 'kind', state: { from: 'state', map: { open: 'O', paid: 'P' } }, body: 'body', origin: { constant: 'blue' },
        kind_and_extra: { concat: ['kind', { constant: '/' }, 'extra'] },
      },
    },
  ],
};
/** Small, so that there is much to be killed between. */
const TUNING = { rangeRows: 4000, chunkRows: 700, batchChanges: 100, commitChanges: 300, peekChanges: 3000, carefulRows: 200 };

/** What must be on green, said in SQL independently of the code under test; and what is there. */
const PARITY = [
  ['SELECT id, md5(document) AS document, email, balance, note FROM accounts ORDER BY id', 'SELECT id, md5(document) AS document, email, balance, note FROM accounts ORDER BY id'],
  ['SELECT * FROM payments ORDER BY id, day', 'SELECT * FROM payments ORDER BY id, day'],
  ['SELECT * FROM scratch ORDER BY id', 'SELECT * FROM scratch ORDER BY id'],
  [
    `SELECT id, kind, CASE state WHEN 'open' THEN 'O' WHEN 'paid' THEN 'P' END AS state, body, 'blue' AS origin, kind || '/' || extra AS both FROM events
      WHERE kind <> 'noise' AND state <> 'odd' ORDER BY id`,
    'SELECT event, what, state, body, origin, kind_and_extra FROM events ORDER BY event',
  ],
  [
    `SELECT format('{"id":"%s"}', ${maskSql('public.events.id', 'id')}) FROM events WHERE kind <> 'noise' AND state = 'odd' ORDER BY 1`,
    `SELECT key FROM payment_migration.quarantine WHERE source = 'public.events' ORDER BY 1`,
  ],
];

const big = (/** @type {number} */ n) => String.fromCharCode(97 + (n % 26)).repeat(2500 + (n % 700));
const day = (/** @type {number} */ n) => `2024-0${1 + (n % 4)}-${String(1 + (n % 28)).padStart(2, '0')}`;
const states = ['open', 'paid', 'odd'];
const kinds = ['login', 'noise', 'pay'];

/** @type {import('../support/writers.mjs').Transaction[]} */
const SHORT = [
  async (c, r) => void (await c.query('INSERT INTO accounts VALUES ($1, $2, $3, $4, $5)', [r(1e9), `mail${r(1e9)}`, `${r(1e6)}.${r(100)}`, 'tab\tline\nback\\slash é', big(r(99))])),
  async (c, r) => void (await c.query('UPDATE accounts SET balance = balance + 1, note = $2 WHERE id = $1', [r(3000), `note ${r(99)}`])),
  async (c, r) => void (await c.query('UPDATE accounts SET document = $2 WHERE id = $1', [r(3000), r(5) === 0 ? null : big(r(99))])),
  async (c, r) => void (await c.query('UPDATE accounts SET id = $2, note = $3 WHERE id = $1', [r(3000), 1_000_000_000 + r(1e9), 'moved'])),
  async (c, r) => void (await c.query('UPDATE accounts SET id = $2 WHERE id = $1', [r(3000), r(3000)])),
  async (c, r) => void (await c.query('DELETE FROM accounts WHERE id = $1', [r(3000)])),
  async (c, r) => void (await c.query('INSERT INTO payments SELECT $1, $2, (SELECT min(id) FROM accounts WHERE id >= $3), $4, $5, $6', [r(1e9), day(r(999)), r(3000), r(1e6), states[r(3)], 'm'])),
  async (c, r) => void (await c.query('UPDATE payments SET day = $2 WHERE id = $1', [r(6000), day(r(999))])),
  async (c, r) => void (await c.query('UPDATE payments SET amount = $2, state = $3 WHERE id BETWEEN $1 AND $1 + 10', [r(6000), r(1e6), states[r(3)]])),
  async (c, r) => void (await c.query('INSERT INTO events VALUES ($1, $2, $3, $4, $5)', [r(1e9), kinds[r(3)], states[r(3)], big(r(99)), 'x'])),
  async (c, r) => void (await c.query('UPDATE events SET state = $2, extra = $3 WHERE id BETWEEN $1 AND $1 + 5', [r(4000), states[r(3)], r(4) === 0 ? null : `e${r(99)}`])),
  async (c, r) => void (await c.query('UPDATE events SET kind = $2 WHERE id = $1', [r(4000), kinds[r(3)]])),
  async (c, r) => void (await c.query('UPDATE events SET id = $2, state = $3 WHERE id = $1', [r(4000), r(4000), states[r(3)]])),
  async (c, r) => void (await c.query('DELETE FROM events WHERE id = $1', [r(4000)])),
  async (c, r) => void (await c.query('INSERT INTO scratch SELECT i, $2 FROM generate_series($1::int, $1::int + 30) i ON CONFLICT (id) DO UPDATE SET value = excluded.value', [r(2000), `v${r(99)}`])),
];
/** @type {import('../support/writers.mjs').Transaction[]} */
const LONG = [
  async (c, r) => {
    await c.query('INSERT INTO accounts VALUES ($1, $2, 0, NULL, $3)', [r(1e9), `late${r(1e9)}`, big(r(99))]);
    await c.query('UPDATE events SET extra = $1 WHERE id BETWEEN $2 AND $2 + 60', [`late${r(99)}`, r(4000)]);
    await sleep(200 + r(1500)); // commits late: others overtake it
  },
  async (c, r) => {
    await c.query('UPDATE payments SET memo = $1 WHERE id BETWEEN $2 AND $2 + 900', [`bulk${r(99)}`, r(6000)]);
    await c.query('SAVEPOINT s');
    await c.query('DELETE FROM events WHERE id BETWEEN $1 AND $1 + 9', [r(4000)]);
    await c.query(r(2) === 0 ? 'ROLLBACK TO s' : 'RELEASE s');
    await sleep(r(400));
  },
  async (c, r) => {
    // two accounts swap their unique addresses
    const { rows } = await c.query('SELECT id, email FROM accounts WHERE id IN ($1, $2) ORDER BY id FOR UPDATE', [r(3000), r(3000)]);
    if (rows.length < 2) return;
    await c.query('UPDATE accounts SET email = $2 WHERE id = $1', [rows[0].id, `swap${r(1e9)}`]);
    await c.query('UPDATE accounts SET email = $2 WHERE id = $1', [rows[1].id, rows[0].email]);
    await c.query('UPDATE accounts SET email = $2 WHERE id = $1', [rows[0].id, rows[1].email]);
  },
];
/** @type {import('../support/writers.mjs').Transaction[]} */
const TRUNCATES = [
  async (c, r) => {
    await c.query('TRUNCATE scratch');
    await c.query('INSERT INTO scratch SELECT i, $1 FROM generate_series(1, 300) i', [`after${r(99)}`]);
  },
  async (c, r) => {
    const partition = ['payments_01', 'payments_02', 'payments_rest'][r(3)];
    await c.query(`TRUNCATE ${partition}`);
    await c.query("INSERT INTO payments SELECT i, '2024-01-05', NULL, i, 'open', $1 FROM generate_series($2::int, $2::int + 40) i ON CONFLICT DO NOTHING", [`again${r(99)}`, r(6000)]);
  },
];

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start()));
after(() => servers.remove());

test(`killed ${KILLS} times at random points while blue is written to: no row is lost, none appears twice`, { timeout: 1_800_000 }, async () => {
  const lab = await servers.fresh('pay', BLUE, GREEN);
  await lab.onBlue(`
    INSERT INTO accounts SELECT i, 'mail' || i, i / 7.0, 'n' || i, repeat(chr(97 + i % 26), 2600) FROM generate_series(1, 3000) i;
    INSERT INTO payments SELECT i, date '2024-01-01' + i % 100, 1 + i % 3000, i, (ARRAY['open', 'paid', 'odd'])[1 + i % 3]::state, 'm' FROM generate_series(1, 6000) i;
    INSERT INTO events SELECT i, (ARRAY['login', 'noise', 'pay'])[1 + i % 3], (ARRAY['open', 'paid', 'odd'])[1 + i % 2], repeat('b', 2600), 'x' FROM generate_series(1, 4000) i;
    INSERT INTO scratch SELECT i, 'v' FROM generate_series(1, 1000) i;`);
  const options = { mapping: MAPPING, tuning: TUNING };
  const writers = new Writers(lab);
  const seed = Number(process.env['KILL_SEED'] ?? 20241122);
  for (let i = 0; i < 3; i += 1) writers.start(SHORT, { pauseMs: 12, seed });
  writers.start(LONG, { pauseMs: 60, seed });
  writers.start(LONG, { pauseMs: 60, seed });
  writers.start(TRUNCATES, { pauseMs: 1500, seed });

  const random = randomFrom(seed);
  let kills = 0;
  let completed = 0;
  /** @type {Record<string, number>} */
  const phases = {};
  try {
    while (kills < KILLS) {
      const { child, ended, said } = lab.spawnRun(options);
      // Some die anywhere, most once they are at work. The slot is made only when blue's long transactions end.
      const at = kills < 5 ? /"connected"/ : kills < 22 ? /"connected".*"(copying|following)"|the migration begins/ : /"connected".*"following"|copy is complete/;
      if (random(5) > 0) await said(at);
      await sleep(random(kills < 22 ? 150 : 300));
      child.kill('SIGKILL');
      const { signal, code, output } = await ended;
      if (signal === 'SIGKILL') {
        kills += 1;
        const phase = /"connected".*"following"|copy is complete/.test(output) ? 'following' : /the migration begins|"connected".*"copying"/.test(output) ? 'copying' : 'starting';
        phases[phase] = (phases[phase] ?? 0) + 1;
      } else {
        assert.ok(code === 0 || output.includes("code: 'BUSY'"), output); // the one before may still be ending
        completed += 1;
      }
    }
  } finally {
    await writers.stop();
  }
  const answer = await lab.untilSynced({ mapping: MAPPING });
  console.log(`${kills} kills (${JSON.stringify(phases)}), ${completed} runs that ended by themselves, ${writers.transactions} transactions, ${answer.changesApplied} changes`);
  for (const [blue, green] of PARITY) {
    const [expected, actual] = await Promise.all([lab.onBlue(/** @type {string} */ (blue)), lab.onGreen(/** @type {string} */ (green))]);
    const extra = difference(values(actual), values(expected));
    const missing = difference(values(expected), values(actual));
    assert.deepEqual({ extra, missing }, { extra: [], missing: [] }, blue);
  }
  assert.equal(answer.consistent, true, JSON.stringify(answer));
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.verdict, verdict.mismatches], ['held-back', 0], JSON.stringify(verdict.tables));
});

/** @param {import('pg').QueryResult} result */
const values = (result) => result.rows.map((row) => JSON.stringify(Object.values(row)));

/** @param {string[]} some @param {string[]} others */
function difference(some, others) {
  const there = new Set(others);
  return [...new Set(some).size === some.length ? [] : ['a row twice'], ...some.filter((row) => !there.has(row)).map((row) => row.slice(0, 160))];
}
