/** Options of every AWS client: one attempt per call, since the SDK's retries and ours would multiply; and no call hangs. */
export const CLIENT = { maxAttempts: 1, requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 } };
