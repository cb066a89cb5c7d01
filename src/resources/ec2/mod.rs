//! EC2: the network.

mod subnet;
mod tags;
mod vpc;

pub use subnet::{Subnet, SubnetId, SubnetOutputs};
pub use vpc::{Vpc, VpcId, VpcOutputs};
