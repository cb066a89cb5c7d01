//! Of two load balancers of which one sends on to the other, the one that is called must keep an idle connection longer: else a
//! payment is sent on a connection that is being closed, which is answered with 502. What is written is right while green calls
//! blue (`blueprint/edge.rs`); when blue calls green, green keeps them longer.

use super::bridge::Env;
use super::names::Side;
use crate::aws::Aws;
use crate::blueprint::IDLE_SECONDS;
use crate::engine::Error;
use crate::resources::elbv2::keep_idle;
use crate::resources::minimum::Minimum;

/// How long green keeps an idle connection when blue calls it: half as long again as blue.
const CALLED_SECONDS: u32 = IDLE_SECONDS[0] / 2 * 3;

/// How long green keeps an idle connection when this side calls the other, and how long as written.
fn seconds(caller: Env) -> Minimum {
    let [_, written] = IDLE_SECONDS;
    let is = match caller {
        Env::Blue => CALLED_SECONDS,
        Env::Green => written,
    };
    Minimum {
        is: is.into(),
        was: written.into(),
    }
}

/// Lets green keep idle connections as long as it must when this side calls the other.
///
/// # Errors
/// When AWS refuses. Requests are answered all the same, but for one that meets a connection which is being closed.
pub async fn fit(aws: &Aws, green: &Side, caller: Env) -> Result<(), Error> {
    let balancer = aws.elbv2.load_balancers.named(&green.balancer).await?;
    match balancer.and_then(|b| b.load_balancer_arn) {
        Some(arn) => keep_idle(aws, &arn, seconds(caller)).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_called_keeps_connections_longer_than_who_calls() {
        let [blue, green] = IDLE_SECONDS.map(f64::from);
        assert_eq!(seconds(Env::Blue).is, 180.0);
        assert!(seconds(Env::Blue).is > blue);
        assert!(blue > seconds(Env::Green).is);
        assert_eq!(seconds(Env::Green).is, green);
    }
}
