import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PermanentError } from '../../src/lib/errors.mjs';
import { handlerOf } from '../../src/lib/invocation.mjs';
import { Logger, describeError } from '../../src/lib/log.mjs';
import { Metrics } from '../../src/lib/metrics.mjs';

/** @param {ConstructorParameters<typeof Logger>[0]} [options] */
function recorder(options = {}) {
  /** @type {any[]} */
  const lines = [];
  return { lines, log: new Logger({ write: (line) => void lines.push(JSON.parse(line)), ...options }) };
}

test('a line is one JSON object with time, level, message, correlation id and fields', () => {
  const { lines, log } = recorder({ correlationId: 'c0ffee-1' });
  log.child({ function: 'sync', table: 'public.payments' }).info('chunk copied', { rows: 5000, lsn: '16/B374D848', percent: 12.5, done: false, bytes: 12n });
  const [{ time, ...line }] = lines;
  assert.match(time, /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(line, { level: 'info', message: 'chunk copied', correlationId: 'c0ffee-1', function: 'sync', table: 'public.payments', rows: 5000, lsn: '16/B374D848', percent: 12.5, done: false, bytes: 12 });
});

test('levels below the chosen one are not written', () => {
  const { lines, log } = recorder({ level: 'warn' });
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.deepEqual(lines.map(({ message }) => message), ['c', 'd']);
});

test('a value that does not fit its field, and a field that is not listed, are withheld', () => {
  const { lines, log } = recorder();
  /** @type {string} */
  const pan = '4111111111111111';
  log.info('odd', { table: pan, column: `x${pan}`, rows: pan, lsn: pan, done: pan, row: { pan }, values: [pan], tables: ['a', pan], password: 'hunter2', constructor: pan, toString: pan });
  // @ts-expect-error the type checker takes literals only
  log.info(`copied ${pan}`);
  log.child({ correlationId: pan }).info('odd');
  assert.doesNotMatch(JSON.stringify(lines), /4111|hunter2/);
  assert.equal(lines[0].table, '(withheld)');
  assert.equal(lines[0].unlisted, '(withheld)');
  assert.equal(lines[1].message, '(withheld)');
});

test('of an error only names and codes are told; the text only of our own', () => {
  const own = new PermanentError('MAPPING', 'tables[0]: no', { hint: 'do this', table: 'public.cards', column: 'pan', constraint: 'c', sqlstate: '23505', cause: new Error('4111111111111111') });
  assert.deepEqual(describeError(own), { name: 'PermanentError', code: 'MAPPING', sqlstate: '23505', table: 'public.cards', column: 'pan', constraint: 'c', message: 'tables[0]: no', hint: 'do this' });
  assert.deepEqual(describeError(Object.assign(new Error('4111'), { code: '4111111111111111', detail: '4111', where: '4111' })), { name: 'Error', code: '(withheld)' });
  assert.deepEqual(describeError('4111'), { name: 'Error' });
  assert.doesNotMatch(JSON.stringify(describeError(new PermanentError('X', 'row 4111-1111 1111 1111 is odd'))), /1111/);
});

test('what looks like a card number or an e-mail address is struck out of texts of our own, however it is written', () => {
  const digits = '4929123456781234';
  const grouped = (/** @type {string} */ separator) => digits.replace(/\d{4}(?=.)/g, `$&${separator}`);
  const written = [digits, ...[' ', '-', '.', '\u00a0', '\u2009', '\u200b', '\u2011', '/', '_', ':', '|', ' - ', ', '].map(grouped), '3782 822463 10005', '3782-822463-10005', [...digits].join(' '), [...digits].join('.'),
    digits.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))), digits.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)))];
  for (const text of written) {
    const told = describeError(new PermanentError('X', `row ${text} is odd`, { hint: `see ${text}`, table: `public.${text}`, column: `c${text}` }));
    assert.equal([told['message'], told['hint'], told['table'], told['column']].some((part) => part?.includes(text)), false, text);
    assert.match(told['message'] ?? '', /^row .*\(withheld\).* is odd$/, text);
  }
  for (const address of ['ada@example.com', 'ada.lovelace+x@mail.example.co.uk', 'ä@exämple.ch', '"<ada@example.com>"'])
    assert.doesNotMatch(describeError(new PermanentError('X', `row ${address} is odd`))['message'] ?? '', /ex.mple/, address);
  for (const harmless of ['2026-01-02 03:04:05.678901+00', '16/B374D848', 'public.p_20260101_20260201', 'tables[0].columns.a', 'more than 1000000 rows', 'deployer 1.2.3'])
    assert.equal(describeError(new PermanentError('X', `at ${harmless}`))['message'], `at ${harmless}`);
});

test('metrics are one line of Embedded Metric Format', () => {
  /** @type {any[]} */
  const lines = [];
  const metrics = new Metrics({ functionName: 'sync-blue-pr42', write: (line) => void lines.push(JSON.parse(line)), now: () => 1_700_000_000_000 });
  metrics.count('RowsCopied', 5);
  metrics.count('RowsCopied', 7);
  metrics.gauge('LagSeconds', 3);
  metrics.gauge('LagSeconds', 1.5);
  metrics.gauge('LagBytes', NaN);
  metrics.count(/** @type {any} */ ('pan'), 4111111111111111);
  metrics.gauge('ProgressPercent', /** @type {any} */ ('4111111111111111'));
  metrics.flush();
  metrics.flush();
  assert.deepEqual(lines, [
    {
      _aws: { Timestamp: 1_700_000_000_000, CloudWatchMetrics: [{ Namespace: 'PaymentMigration', Dimensions: [['FunctionName']], Metrics: [{ Name: 'RowsCopied', Unit: 'Count' }, { Name: 'LagSeconds', Unit: 'Seconds' }] }] },
      FunctionName: 'sync-blue-pr42', RowsCopied: 12, LagSeconds: 1.5,
    },
  ]);
});

test('a handler that fails logs and counts it, and throws an error without cause', async () => {
  /** @type {string[]} */
  const lines = [];
  const handler = handlerOf('sessions', async () => { throw Object.assign(new Error('4111111111111111'), { severity: 'ERROR', code: '23505', detail: '4111111111111111' }); }, { write: (line) => void lines.push(line), environment: {} });
  const error = await handler({}, { awsRequestId: 'r-1' }).then(() => assert.fail('it answered'), (/** @type {Error} */ thrown) => thrown);
  assert.equal(error.cause, undefined);
  assert.doesNotMatch(`${lines.join('\n')} ${error.stack} ${error.message} ${JSON.stringify(error)}`, /4111/);
  assert.match(lines[0] ?? '', /"correlationId":"r-1".*"sqlstate":"23505"/);
  assert.match(lines[1] ?? '', /"Failures":1/);
});
