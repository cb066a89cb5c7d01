/**
 * The model of mode two-way: two sides, their logs, and both streams at any pace, with the very rules that the functions use. Whatever the order in which changes are made and arrive, a row ends
 * equal on both sides, or it is held.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decided, digestOf, offered, reachable, same } from '../../src/split/rules.mjs';

/** @typedef {import('../../src/split/rules.mjs').Row} Row @typedef {import('../../src/split/rules.mjs').Rule} Rule @typedef {import('../../src/split/rules.mjs').Kind} Kind */

const ORDER = { new: ['authorized', 'failed'], authorized: ['captured', 'failed'], captured: ['refunded'] };
const STATES = ['new', 'authorized', 'captured', 'refunded', 'failed'];

/** @param {Kind} kind @returns {Rule} */
const ruleOf = (kind) => ({ kind, columns: ['status', 'amount', 'note', 'flag'], state: kind === 'state-machine' ? 0 : -1, reach: reachable(ORDER), immutable: kind === 'state-machine' ? [1] : [], idempotency: [] });

/**
 * One row. An entry of a log is one change: by the application, or by a stream, which the other one passes over (green's log) or offers again (blue's).
 * @typedef {{before: Row, after: Row, stream: boolean, seen: string[], alone?: boolean}} Entry `alone`: a message without a row
 */
class Model {
  /** @param {Rule} rule @param {Row} first */
  constructor(rule, first) {
    this.rule = rule;
    this.blue = this.green = first;
    /** @type {{blue: Entry[], green: Entry[]}} */
    this.log = { blue: [], green: [] };
    this.forward = this.back = 0;
    this.heldOnBlue = this.heldOnGreen = false;
  }

  /** @param {'blue' | 'green'} side @param {Row} row @param {{stream?: boolean, seen?: string[]}} [by] */
  set(side, row, { stream = false, seen = [] } = {}) {
    this.log[side].push({ before: this[side], after: row, stream, seen });
    this[side] = row;
  }

  /** Brings so many entries of blue's log to green at once: the state before the first, that after the last. @param {number} most */
  toGreen(most) {
    const entries = this.log.blue.slice(this.forward, this.forward + most);
    this.forward += entries.length;
    const rows = entries.filter(({ alone }) => alone !== true);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return;
    const decision = offered(this.rule, { there: this.green, before: first.before, after: last.after, held: this.heldOnGreen, seen: new Set(entries.flatMap(({ seen }) => seen)) });
    if (decision.kind === 'hold') this.heldOnGreen = true;
    else if (decision.kind !== 'later') this.heldOnGreen = false;
    if (decision.kind === 'write') this.set('green', decision.row, { stream: true });
  }

  /** @param {number} most */
  toBlue(most) {
    const entries = this.log.green.slice(this.back, this.back + most);
    this.back += entries.length;
    const own = entries.filter(({ stream }) => !stream);
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return;
    const decision = decided(this.rule, { there: this.blue, before: first.before, after: last.after, held: this.heldOnBlue });
    this.heldOnBlue = decision.kind === 'hold';
    const seen = [digestOf(last.after)];
    if (decision.kind === 'write') this.set('blue', decision.row, { stream: true, seen });
    if (decision.kind === 'nothing') this.log.blue.push({ before: this.blue, after: this.blue, stream: true, seen, alone: true });
  }
}

const ROW = fc.tuple(fc.constantFrom(...STATES), fc.constantFrom('1', '2'), fc.constantFrom('a', 'b', 'c'), fc.constantFrom('t', 'f'));
const STEP = fc.oneof(
  fc.record({ kind: fc.constant('change'), side: fc.constantFrom('blue', 'green'), row: fc.oneof({ weight: 6, arbitrary: ROW }, { weight: 1, arbitrary: fc.constant(null) }) }),
  fc.record({ kind: fc.constant('stream'), side: fc.constantFrom('blue', 'green'), most: fc.integer({ min: 1, max: 3 }) }),
);

for (const kind of /** @type {const} */ (['merged', 'state-machine', 'append-only']))
  test(`a row ends equal on both sides, or held, whatever the order: ${kind}`, () => {
    const rule = ruleOf(kind);
    fc.assert(
      fc.property(fc.option(ROW, { freq: 3 }), fc.array(STEP, { maxLength: 25 }), (first, steps) => {
        const model = new Model(rule, first);
        for (const step of /** @type {any[]} */ (steps)) {
          if (step.kind === 'stream') step.side === 'blue' ? model.toBlue(step.most) : model.toGreen(step.most);
          else if (!same(model[/** @type {'blue' | 'green'} */ (step.side)], step.row)) model.set(step.side, step.row);
        }
        let quiet = 0;
        for (; model.forward < model.log.blue.length || model.back < model.log.green.length; quiet += 1) {
          assert.ok(quiet < 20, 'the streams never end');
          model.toGreen(1);
          model.toBlue(1);
        }
        assert.ok(same(model.blue, model.green) || model.heldOnBlue || model.heldOnGreen, JSON.stringify([model.blue, model.green]));
      }),
      { numRuns: 30_000, seed: Number(process.env['MODEL_SEED'] ?? 20261128) },
    );
  });

test('the further state wins on both sides, what excludes each other is held, and other columns are merged', () => {
  const rule = ruleOf('state-machine');
  const row = (/** @type {string} */ status, note = 'n', amount = '1') => [status, amount, note, 't'];
  const decide = (/** @type {Row} */ there, /** @type {Row} */ before, /** @type {Row} */ after) => decided(rule, { there, before, after, held: false });
  assert.deepEqual(decide(row('captured'), row('authorized'), row('authorized', 'x')), { kind: 'write', row: row('captured', 'x'), merged: true });
  assert.deepEqual(decide(row('authorized', 'blue'), row('authorized'), row('refunded')), { kind: 'write', row: row('refunded', 'blue'), merged: true });
  assert.deepEqual(decide(row('authorized', 'blue'), row('authorized'), row('captured', 'green')), { kind: 'write', row: row('captured', 'green'), merged: true });
  assert.deepEqual(decide(row('captured', 'blue'), row('authorized'), row('authorized', 'green')), { kind: 'write', row: row('captured', 'blue'), merged: true });
  assert.deepEqual(decide(row('captured'), row('authorized'), row('failed')), { kind: 'hold', reason: 'neither state can come after the other one', column: 'status' });
  assert.equal(decide(row('authorized'), row('authorized'), row('authorized', 'n', '2')).kind, 'hold');
  assert.equal(decide(row('new'), null, row('captured')).kind, 'hold');
  assert.equal(decide(row('new'), row('new'), null).kind, 'hold');
});

test('green keeps what its application has written until blue has decided', () => {
  const rule = ruleOf('merged');
  const [a, b, c] = [['s', '1', 'a', 't'], ['s', '1', 'b', 't'], ['s', '1', 'c', 't']];
  const offer = (/** @type {Row} */ there, /** @type {string[]} */ seen = []) => offered(rule, { there, before: a, after: b, held: false, seen: new Set(seen) }).kind;
  assert.deepEqual([offer(a), offer(b), offer(c), offer(c, [digestOf(c)]), offer(null), offer(null, [digestOf(null)])], ['write', 'nothing', 'later', 'write', 'later', 'write']);
});
