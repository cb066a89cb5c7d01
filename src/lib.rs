//! `deployer` creates, reconciles and tears down the blue and the green environment of a payment platform on AWS.
//!
//! Imports run one way: `cli -> report, blueprint, engine, state, sandbox`; `blueprint -> resources, engine`;
//! `report -> traffic, evidence -> blueprint, resources`; `report -> cost -> resources, config -> prices`; `resources -> engine, aws`; `aws -> SDK`; `sandbox, functions -> cache`; `traffic -> edge -> aws`; `engine -> nothing of ours but the state's model`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests may"
    )
)]

pub mod aws;
pub mod blueprint;
mod cache;
mod chain;
pub mod cli;
pub mod config;
mod cost;
mod edge;
pub mod engine;
mod evidence;
pub mod functions;
mod migration;
mod prices;
pub mod report;
pub mod resources;
pub mod sandbox;
pub mod state;
mod support;
mod traffic;
