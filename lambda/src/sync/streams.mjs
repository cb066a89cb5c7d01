/** Streams with back-pressure and without lost errors. */
import { once } from 'node:events';

const BLOCK = 64 * 1024;

/**
 * Writes all lines in blocks and waits until the server has taken them.
 * @param {import('node:stream').Writable} stream
 * @param {Iterable<string>} lines
 */
export async function writeAll(stream, lines) {
  const sink = new Sink(stream);
  let block = '';
  for (const line of lines) {
    block += line;
    if (block.length < BLOCK) continue;
    await sink.write(block);
    block = '';
  }
  if (block !== '') await sink.write(block);
  await sink.end();
}

/** A writable stream as promises. An error surfaces at the next call, never as an unhandled event. */
export class Sink {
  /** @type {unknown} */
  #error;

  /** @param {import('node:stream').Writable} stream */
  constructor(stream) {
    this.stream = stream;
    this.finished = new Promise((resolve) => {
      stream.once('finish', resolve);
      stream.once('close', resolve);
      stream.on('error', (error) => {
        this.#error ??= error;
        resolve(undefined);
      });
    });
  }

  /** @param {string | Buffer} block */
  async write(block) {
    if (this.#error !== undefined) throw this.#error;
    if (!this.stream.write(block)) await Promise.race([once(this.stream, 'drain').catch(() => {}), this.finished]);
    if (this.#error !== undefined) throw this.#error;
  }

  async end() {
    if (this.#error === undefined) this.stream.end();
    await this.finished;
    if (this.#error !== undefined) throw this.#error;
  }

  /** Makes the server forget what it was sent. @param {Error} reason */
  async abort(reason) {
    this.stream.destroy(reason);
    await this.finished;
  }
}
