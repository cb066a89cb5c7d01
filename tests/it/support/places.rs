//! Where the state of a test is: in local files, or in a bucket that a team shares. What must hold for one holds for both.

use super::lab::Lab;

/// Where the state in a bucket is.
pub const BUCKET: &str = "s3://states-of-a-team/platform";

/// The configuration of a lab, but for the state's place.
pub const USUAL: &str =
    "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\napi_limits = 1000\n";

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Files,
    Bucket,
}

impl Place {
    /// The lab with its state there: the one that it has moves with it.
    pub fn of(self, lab: Lab) -> Lab {
        if self == Self::Bucket {
            self.configure(&lab, USUAL);
            lab.run(&["state", "init", "--yes"]).expect(0);
            let files = lab.dir.path().join("state");
            if files.join("dev.json").exists() {
                lab.run(&["state", "push"]).expect(0);
                std::fs::remove_dir_all(files).unwrap();
            }
        }
        lab
    }

    /// Gives the lab another configuration; its state stays where it is.
    pub fn configure(self, lab: &Lab, config: &str) {
        let place = match self {
            Self::Files => String::new(),
            Self::Bucket => format!("state = \"{BUCKET}\"\n"),
        };
        std::fs::write(lab.dir.path().join("deployer.toml"), place + config).unwrap();
    }
}

/// A test for each place, made from a function that takes one.
macro_rules! in_both_places {
    ($($test:ident, $files:ident, $bucket:ident;)*) => {
        $(
            #[test]
            fn $files() {
                $test(crate::support::places::Place::Files);
            }

            #[test]
            fn $bucket() {
                $test(crate::support::places::Place::Bucket);
            }
        )*
    };
}
pub(crate) use in_both_places;
