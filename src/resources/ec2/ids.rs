//! Kinds of ids, for typed references between resources of different files.

/// `tgw-...`
#[derive(Debug)]
pub enum TransitGatewayId {}

/// `tgw-rtb-...`
#[derive(Debug)]
pub enum TransitGatewayRouteTableId {}

/// `tgw-attach-...`
#[derive(Debug)]
pub enum TransitGatewayAttachmentId {}

/// `vpce-...`
#[derive(Debug)]
pub enum VpcEndpointId {}

/// `fl-...`
#[derive(Debug)]
pub enum FlowLogId {}
