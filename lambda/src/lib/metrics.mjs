/**
 * CloudWatch metrics in the Embedded Metric Format: a log line that CloudWatch Logs turns into metrics, so no call to AWS and no
 * permission is needed. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */

const UNITS = /** @type {const} */ ({
  RowsCopied: 'Count',
  ChangesApplied: 'Count',
  LagSeconds: 'Seconds',
  LagBytes: 'Bytes',
  ProgressPercent: 'Percent',
  RowsQuarantined: 'Count',
  ParityMismatches: 'Count',
  Failures: 'Count',
});

/** @typedef {keyof typeof UNITS} Metric */

export const NAMESPACE = 'PaymentMigration';

/** Sums counts and keeps the last gauges until `flush` writes them as one line. */
export class Metrics {
  /**
   * @param {object} [options]
   * @param {string} [options.functionName] the one dimension; it holds environment and suffix already
   * @param {(line: string) => void} [options.write]
   * @param {() => number} [options.now]
   */
  constructor({ functionName = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? 'local', write = toStdout, now = Date.now } = {}) {
    this.functionName = functionName;
    this.write = write;
    this.now = now;
    /** @type {Map<Metric, number>} */
    this.values = new Map();
  }

  /** Adds to a count. Zero counts: it keeps an alarm from missing data. @param {Metric} metric @param {number} amount */
  count(metric, amount) {
    this.#keep(metric, (this.values.get(metric) ?? 0) + amount);
  }

  /** Sets a gauge. @param {Metric} metric @param {number} value */
  gauge(metric, value) {
    this.#keep(metric, value);
  }

  /** Writes what has come together since the last time. */
  flush() {
    if (this.values.size === 0) return;
    const metrics = [...this.values.keys()].map((metric) => ({ Name: metric, Unit: UNITS[metric] }));
    const line = {
      _aws: {
        Timestamp: this.now(),
        CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [['FunctionName']], Metrics: metrics }],
      },
      FunctionName: this.functionName,
      ...Object.fromEntries(this.values),
    };
    this.values.clear();
    this.write(JSON.stringify(line));
  }

  /** @param {Metric} metric @param {number} value */
  #keep(metric, value) {
    if (!(metric in UNITS) || typeof value !== 'number' || !Number.isFinite(value)) return;
    this.values.set(metric, value);
  }
}

/** @param {string} line */
const toStdout = (line) => void process.stdout.write(`${line}\n`);
