import { parseDecimal, printDecimal } from './decimal.mjs';

/**
 * JSON text as jsonb prints it: keys by length, then by bytes, one space after `:` and `,`, numbers with all their digits. So a json or
 * text column can be cast to jsonb and still be compared with what green stores. Of equal keys jsonb keeps the last: such a text would lose something.
 */

/** jsonb nests as deep as the server's stack lets it; this is far beyond real documents. */
const DEEPEST = 500;

/** A key that an object has twice. */
export const TWICE = Symbol('a key twice');

/** @param {string} text @returns {string | typeof TWICE | undefined} `undefined`: no JSON, or none that jsonb takes (U+0000, half a surrogate pair) */
export function canonicalJson(text) {
  if (!isJson(text)) return undefined;
  const reader = new Reader(text);
  const printed = reader.value(0);
  return reader.bad ? undefined : reader.twice ? TWICE : printed;
}

/** @param {string} text */
export function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Walks text that JSON.parse has accepted, and keeps what it would lose: the digits of numbers. */
class Reader {
  bad = false;
  twice = false;
  at = 0;

  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  /** @param {number} depth @returns {string} */
  value(depth) {
    if (depth > DEEPEST) this.bad = true;
    if (this.bad) return '';
    const first = this.peek();
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    if (first === '"') return this.print(this.string());
    return this.word();
  }

  /** @param {number} depth */
  object(depth) {
    /** @type {Map<string, string>} */
    const members = new Map();
    for (this.at += 1; !this.bad && this.peek() !== '}'; ) {
      const key = this.string();
      this.skip(':');
      this.twice ||= members.has(key);
      members.set(key, this.value(depth + 1));
      this.skip(',');
    }
    this.at += 1;
    const sorted = [...members].map(([key, value]) => ({ key: Buffer.from(key), text: key, value }));
    sorted.sort((a, b) => a.key.length - b.key.length || Buffer.compare(a.key, b.key));
    return `{${sorted.map(({ text, value }) => `${this.print(text)}: ${value}`).join(', ')}}`;
  }

  /** @param {number} depth */
  array(depth) {
    const items = [];
    for (this.at += 1; !this.bad && this.peek() !== ']'; ) {
      items.push(this.value(depth + 1));
      this.skip(',');
    }
    this.at += 1;
    return `[${items.join(', ')}]`;
  }

  string() {
    this.peek();
    const start = this.at;
    for (this.at += 1; this.text[this.at] !== '"'; this.at += 1) if (this.text[this.at] === '\\') this.at += 1;
    this.at += 1;
    return /** @type {string} */ (JSON.parse(this.text.slice(start, this.at)));
  }

  word() {
    const start = this.at;
    while (this.at < this.text.length && /[^\s,\]}]/.test(this.text[this.at] ?? '')) this.at += 1;
    const word = this.text.slice(start, this.at);
    if (/^[a-z]/.test(word)) return word;
    const number = parseDecimal(word);
    if (number === undefined) this.bad = true;
    return number === undefined ? '' : printDecimal(number);
  }

  peek() {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
    return this.text[this.at];
  }

  /** @param {string} mark */
  skip(mark) {
    if (this.peek() === mark) this.at += 1;
  }

  /** @param {string} text */
  print(text) {
    if (/\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)) this.bad = true;
    return JSON.stringify(text);
  }
}
