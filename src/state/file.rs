//! Durable files: a reader sees the old content or the new one, never a mixture, also after a power cut.

use super::StateError;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Replaces `path` by `content`: temporary file beside it, fsync, rename, fsync of the folder.
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<(), StateError> {
    let io = |source| StateError::Io {
        doing: "writing",
        path: path.to_owned(),
        source,
    };
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    // The team's other members read it too: as open as their umask says, or as it was made.
    let permissions =
        fs::metadata(path).map_or_else(|_| fs::Permissions::from_mode(0o666), |m| m.permissions());
    let mut temp = tempfile::Builder::new()
        .prefix(".tmp-")
        .permissions(permissions)
        .tempfile_in(folder)
        .map_err(io)?;
    temp.write_all(content).map_err(io)?;
    temp.as_file().sync_all().map_err(io)?;
    temp.persist(path).map_err(|e| io(e.error))?;
    sync_folder(folder)
}

/// Makes a rename, creation or removal in this folder durable.
pub fn sync_folder(folder: &Path) -> Result<(), StateError> {
    File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(|source| StateError::Io {
            doing: "syncing",
            path: folder.to_owned(),
            source,
        })
}
