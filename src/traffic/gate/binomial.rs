//! Exact binomial tails, and the one-sided Clopper-Pearson bounds that follow from them.

/// The probability of at most `hits` successes in `n` trials with chance `p` each. The sum is kept in logarithms, so that
/// nothing underflows for any number of requests.
pub fn at_most(hits: u64, n: u64, p: f64) -> f64 {
    if hits >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let odds = p.ln() - (-p).ln_1p();
    let mut term = n as f64 * (-p).ln_1p();
    let (mut peak, mut sum) = (term, 1.0_f64);
    for k in 0..hits {
        term += ((n - k) as f64 / (k + 1) as f64).ln() + odds;
        if term > peak {
            sum = sum * (peak - term).exp() + 1.0;
            peak = term;
        } else {
            sum += (term - peak).exp();
        }
    }
    (peak + sum.ln()).exp().min(1.0)
}

/// The probability of at least `hits` successes in `n` trials with chance `p` each. Exact to 1e-12 or so: enough for the
/// confidences that a limit names.
pub fn at_least(hits: u64, n: u64, p: f64) -> f64 {
    match hits {
        0 => 1.0,
        _ if hits > n => 0.0,
        _ => (1.0 - at_most(hits - 1, n, p)).max(0.0),
    }
}

/// The upper bound of a share after `hits` of `n`: true shares above it would show so few hits with a probability of at most
/// 1 - `confidence`. 1 without trials.
pub fn upper_bound(hits: u64, n: u64, confidence: f64) -> f64 {
    if hits >= n {
        return 1.0;
    }
    if hits == 0 {
        return 1.0 - (1.0 - confidence).powf(1.0 / n as f64);
    }
    bisect(|p| at_most(hits, n, p) > 1.0 - confidence)
}

/// The lower bound of a share after `hits` of `n`, likewise. 0 without hits.
pub fn lower_bound(hits: u64, n: u64, confidence: f64) -> f64 {
    if hits == 0 || n == 0 {
        return 0.0;
    }
    bisect(|p| at_least(hits.min(n), n, p) < 1.0 - confidence)
}

/// Where `below` turns from true to false between 0 and 1.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}
