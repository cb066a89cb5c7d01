//! Ids of things that other sections make.

/// A transit gateway id.
#[derive(Debug)]
pub enum TransitGatewayId {}
