//! The code of the migration's functions in a command: which zips are wanted, and where they come from.

use super::Context;
use super::args::EnvName;
use super::error::Failure;
use super::session::Mode;
use crate::aws::lambda::{CREATE_FUNCTION, Zips};
use crate::blueprint::Code;
use crate::engine::{Check, Error, Level};
use crate::functions;
use std::sync::Arc;

/// The zips that are wanted. What is recorded of the same sources needs no Node.js; a command that changes no function takes what
/// is recorded whatever it is of, and says so when nothing is.
pub async fn known(
    cx: &Context<'_>,
    env: Option<EnvName>,
    mode: Mode,
    recorded: Code,
) -> Result<(Code, Option<Check>), Failure> {
    let makes = matches!(mode, Mode::Apply | Mode::Plan) && env != Some(EnvName::Blue);
    // A command that deletes or marks compares no code.
    if !makes && (!matches!(mode, Mode::Look | Mode::Unrecorded) || !recorded.sources.is_empty()) {
        return Ok((recorded, None));
    }
    let sources = functions::digest();
    if recorded.sources == sources {
        return Ok((recorded, None));
    }
    let built = functions::built(&|line| drop(cx.console.note(line))).await;
    match built {
        Ok(zips) => Ok((Code { sources, zips }, None)),
        Err(error) if makes => Err(Failure::from(of(&error))),
        Err(error) => {
            let text = format!("the code of the migration functions is not compared: {error}");
            let check = Check::new("functions", Level::Warning, text).hint(error.hint());
            Ok((recorded, Some(check)))
        }
    }
}

/// Where functions that are made or changed get their zips from.
pub fn zips() -> Zips {
    Arc::new(|handler, sha256| {
        Box::pin(async move {
            let zip = functions::zip(&handler, &sha256, &|_| ()).await;
            zip.map_err(|error| of(&error))
        })
    })
}

fn of(error: &functions::Error) -> Error {
    Error::permanent(CREATE_FUNCTION.action(), error.to_string()).hint(error.hint())
}
