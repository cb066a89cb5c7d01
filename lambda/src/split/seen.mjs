/**
 * Mode two-way: green's states about which blue has decided, as blue's log says it, by `seenName` (marks.mjs). In the log that stands in the same transaction as what blue has made of the row, and
 * before it: at most a batch of such messages and the changes of a batch of rows come in between. What is older is forgotten, so that a transaction of any size fits into memory.
 */

/** One of messages, two of changes (a row that goes to another partition takes two), and two that are read before they are applied. */
const BATCHES = 5;

export class SeenStates {
  /** @param {number} batch how many changes one has */
  constructor(batch) {
    this.most = BATCHES * batch;
    /** Digests. @type {Map<string, string[]>} */
    this.recent = new Map();
    /** @type {Map<string, string[]>} */
    this.older = new Map();
    this.passed = 0;
  }

  /** @param {string} content of a message */
  add(content) {
    const [name, digest] = /** @type {[string, string]} */ (JSON.parse(content));
    const known = this.recent.get(name);
    if (known === undefined) this.recent.set(name, [digest]);
    else if (!known.includes(digest)) known.push(digest);
    this.pass(1);
  }

  /** @param {number} changes that were applied */
  pass(changes) {
    this.passed += changes;
    if (this.passed < this.most) return;
    this.older = this.recent;
    this.recent = new Map();
    this.passed = 0;
  }

  /** @param {string} name @returns {string[]} */
  of(name) {
    return [...(this.older.get(name) ?? []), ...(this.recent.get(name) ?? [])];
  }
}
