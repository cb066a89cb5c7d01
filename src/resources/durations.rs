//! Typical seconds of each type, from the create call until ready and from the delete call until gone: medians, used to
//! order the ready steps and to estimate. Runs measure their own and remember them in the state.

/// (create, delete) in seconds.
pub fn typical(kind: &str) -> (f64, f64) {
    match kind {
        "ec2/transit_gateway" => (90.0, 90.0),
        "ec2/transit_gateway_attachment" => (90.0, 90.0),
        "ec2/transit_gateway_route_table" => (10.0, 20.0),
        "ec2/transit_gateway_association" => (10.0, 10.0),
        "ec2/interface_endpoint" => (90.0, 90.0),
        "ec2/gateway_endpoint" => (5.0, 5.0),
        "rds/cluster" => (90.0, 90.0),
        "rds/instance" => (450.0, 450.0),
        "rds/subnet_group" => (1.5, 1.0),
        "rds/parameter_group" | "rds/cluster_parameter_group" => (2.0, 1.0),
        "dynamodb/table" => (15.0, 10.0),
        _ => (1.0, 1.0),
    }
}
