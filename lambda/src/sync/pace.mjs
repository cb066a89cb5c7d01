/** Blue is read for so long at a time, and so much. */
const RANGE_MS = 30;
export const RANGE_BYTES = 4 << 20;

/** So few are read in no time: where it takes longer, that is not for the lock to be given back sooner. */
const FEW_ROWS = 1_000;

/** How many rows of blue are read at once: as many as it sends in the time it may be locked. */
export class Pace {
  constructor() {
    this.rows = 100;
    /** The connection that is set up for the copy. @type {import('../pg/session.mjs').Session | undefined} */
    this.prepared = undefined;
  }

  /** @param {number} rows that were read @param {number} bytes @param {number} ms */
  adapt(rows, bytes, ms) {
    if (rows === 0) return;
    const byTime = Math.max(FEW_ROWS, (rows * RANGE_MS) / Math.max(ms, 1));
    const byBytes = (rows * RANGE_BYTES) / 2 / Math.max(bytes, 1);
    this.rows = Math.max(1, Math.floor(Math.min(byTime, byBytes, this.rows * 4)));
  }
}

/** Of the time that a reading of the stream may take, so much is planned with: not every change takes as long as those before. */
const SHARE = 0.6;
const FIRST_CHANGES = 50_000;
const FEW_CHANGES = 5_000;

/**
 * How many changes blue is asked for at once. It decodes all of them before it sends the first, and decodes again those that were not taken when the time of a reading is over: as many are asked for as
 * were taken lately in that time.
 */
export class Reading {
  /** @param {{peekChanges: number, readMs: number}} tuning */
  constructor({ peekChanges, readMs }) {
    this.most = peekChanges;
    this.ms = readMs * SHARE;
    this.changes = Math.min(FIRST_CHANGES, peekChanges);
  }

  /** @param {number} changes that were taken, of more @param {number} ms */
  adapt(changes, ms) {
    this.changes = Math.min(this.most, Math.max(FEW_CHANGES, Math.floor((changes * this.ms) / Math.max(ms, 1))));
  }
}
