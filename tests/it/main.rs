//! The integration tests: one binary, a module per theme.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may"
)]

mod absence;
mod alongside;
mod at_every_write;
mod audit;
mod bad_input;
mod beneath;
mod budget;
mod circles;
mod data_rules;
mod data_safety;
mod engine;
mod environment;
mod evidence;
mod exposed;
mod for_others;
mod foreign;
mod hard_days;
mod images;
mod long_work;
mod makespan;
mod map;
mod migrate;
mod mutations;
mod notify;
mod ownership;
mod permissions;
mod plan_figures;
mod planning;
mod policy;
mod rates;
mod reaching;
mod removal;
mod requests;
mod review;
mod rights;
mod sandbox;
mod scopes;
mod set_back;
mod shared;
mod simulation;
mod support;
mod traffic;
mod unanswered;
mod upgrade;
mod vanished;
mod weights;
