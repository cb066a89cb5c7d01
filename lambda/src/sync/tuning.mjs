/** Sizes of what is done at once. Tests make them small, to be killed between more of them. */
export const TUNING = {
  /** Rows that one COPY on blue reads at most (copy.mjs adapts it): meanwhile TRUNCATE and ALTER TABLE wait. */
  rangeRows: 50_000,
  /** One transaction on green during the full copy. */
  chunkRows: 200_000,
  chunkBytes: 64 << 20,
  chunkMs: 5_000,
  /** The same where rows are looked at one by one. */
  carefulRows: 2_000,
  carefulBytes: 4 << 20,
  /** Changes that one call asks blue for at most (it stops at the end of the transaction that passes this; pace.mjs adapts it). */
  peekChanges: 500_000,
  /** A reading of blue's stream ends with the transaction after which it has taken this long, or as long as the decoding before it: its snapshot holds up CREATE INDEX CONCURRENTLY. */
  readMs: 10_000,
  /** Changes that go onto green at once. */
  batchChanges: 10_000,
  batchBytes: 2 << 20,
  /**
   * While green is a mixture of moments, so many rows beyond the limit of quarantine may be refused for a unique value: most of them find room later. More are not
   * explained by that.
   */
  mostProvisional: 10_000,
  /** Changes in one transaction on green, if blue's transactions allow. */
  commitChanges: 100_000,
  /** How long a canary may take through one stream. */
  canaryMs: 30_000,
};
