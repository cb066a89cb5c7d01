//! Durable files: a reader sees the old content or the new one, never a mixture, also after a power cut.

use super::StateError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Symbolic links that are followed one after the other, as by Linux.
const LINKS: usize = 40;

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

/// Writes what somebody wants at a path of their own: a file is replaced as by `write_atomic`, also at the end of symbolic
/// links; a device or a pipe stays what it is and gets the content.
pub fn write_output(path: &Path, content: &[u8]) -> Result<(), StateError> {
    if !is_special(path) {
        return write_atomic(&end_of_links(path), content);
    }
    write_into(path, content).map_err(|source| StateError::Io {
        doing: "writing",
        path: path.to_owned(),
        source,
    })
}

/// True for what is there and is neither a file nor a folder: a device, a pipe, a socket, or a link to one.
pub fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Writes to what is there, without replacing it. A pipe that nobody reads from yet is waited for.
pub fn write_into(path: &Path, content: &[u8]) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(content)
}

/// The path that is left when symbolic links are followed; nothing need be there yet.
pub fn end_of_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(to) = fs::read_link(&path) else {
            break;
        };
        path = match path.parent() {
            Some(folder) => folder.join(to),
            None => to,
        };
    }
    path
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::process::Command;

    #[test]
    fn a_link_stays_and_its_file_is_replaced_or_made() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("second", at("first")).unwrap();
        symlink(at("file"), at("second")).unwrap();
        for content in ["new", "other"] {
            write_output(&at("first"), content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(at("file")).unwrap(), content);
            assert!(at("first").is_symlink() && at("second").is_symlink());
        }
        symlink("circle", at("circle")).unwrap();
        assert!(!is_special(&at("circle")));
        write_output(&at("plain"), b"plain").unwrap();
        assert_eq!(fs::read(at("plain")).unwrap(), b"plain");
    }

    #[test]
    fn a_pipe_gets_the_content_and_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(is_special(&pipe));
        let from = pipe.clone();
        let reader = std::thread::spawn(move || fs::read_to_string(from).unwrap());
        write_output(&pipe, b"page").unwrap();
        assert_eq!(reader.join().unwrap(), "page");
        let kind = fs::symlink_metadata(&pipe).unwrap().file_type();
        assert!(kind.is_fifo());
    }

    #[test]
    fn a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/dev/null", &link).unwrap();
        write_output(&link, b"page").unwrap();
        assert!(link.is_symlink() && is_special(Path::new("/dev/null")));
    }
}
