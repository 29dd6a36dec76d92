//! The way to a file: the directories through which its name leads, with those of each symbolic link. Whoever can
//! change one of them can lead the name to another file. It reads names, links and modes, and no content.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::judge::{Node, Way};

/// The most links that are followed, as the kernel has it.
const MOST_LINKS: usize = 40;
/// The link in a volume of Kubernetes that leads to the files in force.
const VOLUME: &str = "..data";

/// Where a name leads to, and on which way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) directories: Vec<(Node, Way)>,
    /// What is at the end. `None` where nothing is there, or where it cannot be seen.
    pub(super) end: Option<(Node, Kind)>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// A device, a FIFO or a socket.
    Other,
}

/// What is known of a file or directory that no link leads to.
pub(super) fn node(path: &Path, metadata: &Metadata) -> (Node, Kind) {
    let kind = match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Kind::File,
        (_, true) => Kind::Directory,
        _ => Kind::Other,
    };
    let mounted = statvfs(path).map(|found| found.f_flag);
    let node = Node {
        path: path.to_owned(),
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
        group: metadata.gid(),
        read_only: mounted.is_ok_and(|flags| flags.contains(StatVfsMountFlags::RDONLY)),
    };
    (node, kind)
}

impl Walk {
    /// Follows a name step by step.
    pub(super) fn to(path: &Path) -> Self {
        let mut walk = Self { directories: Vec::new(), end: None };
        let Ok(path) = std::path::absolute(path) else { return walk };
        let mut ahead: VecDeque<OsString> = parts(&path);
        let mut at = PathBuf::from("/");
        walk.enter(&at);
        let mut links = 0;
        while let Some(part) = ahead.pop_front() {
            if part == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&part);
            let Ok(metadata) = next.symlink_metadata() else {
                // A secret that is missing may be made where it should be.
                if ahead.is_empty() {
                    walk.ends_in(&at, Way::Last);
                }
                return walk;
            };
            let last = ahead.is_empty();
            if metadata.is_symlink() {
                links += 1;
                let Some(target) = next.read_link().ok().filter(|_| links <= MOST_LINKS) else {
                    return walk;
                };
                if last {
                    let volume = target.starts_with(VOLUME) && is_link(&at.join(VOLUME));
                    walk.ends_in(&at, if volume { Way::Volume } else { Way::Last });
                }
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                for part in parts(&target).into_iter().rev() {
                    ahead.push_front(part);
                }
            } else if metadata.is_dir() && !last {
                at = next;
                walk.enter(&at);
            } else {
                walk.ends_in(&at, Way::Last);
                walk.end = Some(node(&next, &metadata));
                return walk;
            }
        }
        walk
    }

    fn enter(&mut self, directory: &Path) {
        if self.directories.iter().any(|(known, _)| known.path == directory) {
            return;
        }
        if let Ok(metadata) = directory.symlink_metadata() {
            self.directories.push((node(directory, &metadata).0, Way::Above));
        }
    }

    fn ends_in(&mut self, directory: &Path, way: Way) {
        let known = self.directories.iter_mut().find(|(known, _)| known.path == directory);
        if let Some((_, known)) = known.filter(|(_, known)| *known == Way::Above) {
            *known = way;
        }
    }
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_directory_that_a_link_leads_through_is_on_the_way() {
        let site = tempfile::tempdir().expect("a directory");
        let root = site.path().canonicalize().expect("there");
        for name in ["a", "b", "b/c"] {
            std::fs::create_dir(root.join(name)).expect("made");
        }
        std::fs::write(root.join("b/c/key"), "x").expect("written");
        symlink("../b", root.join("a/way")).expect("linked");
        symlink("way/c/key", root.join("a/key")).expect("linked");
        let walk = Walk::to(&root.join("a/key"));
        let way = |name: &str| {
            let found = walk.directories.iter().find(|(node, _)| node.path == root.join(name));
            found.map(|(_, way)| *way)
        };
        assert_eq!(way("a"), Some(Way::Last));
        assert_eq!(way("b"), Some(Way::Above));
        assert_eq!(way("b/c"), Some(Way::Last));
        let (end, kind) = walk.end.expect("a file");
        assert_eq!((end.path, kind), (root.join("b/c/key"), Kind::File));
    }

    #[test]
    fn links_in_a_circle_and_what_is_missing_end_the_way() {
        let site = tempfile::tempdir().expect("a directory");
        symlink("two", site.path().join("one")).expect("linked");
        symlink("one", site.path().join("two")).expect("linked");
        assert!(Walk::to(&site.path().join("one")).end.is_none());
        let missing = Walk::to(&site.path().join("none"));
        assert!(missing.end.is_none());
        assert!(missing.directories.iter().any(|(_, way)| *way == Way::Last));
    }

    #[test]
    fn a_volume_of_kubernetes_is_known_by_its_link() {
        let site = tempfile::tempdir().expect("a directory");
        let root = site.path().canonicalize().expect("there");
        std::fs::create_dir(root.join("..2026")).expect("made");
        std::fs::write(root.join("..2026/key"), "x").expect("written");
        symlink("..2026", root.join("..data")).expect("linked");
        symlink("..data/key", root.join("key")).expect("linked");
        let walk = Walk::to(&root.join("key"));
        let volume = walk.directories.iter().find(|(node, _)| node.path == root);
        assert_eq!(volume.map(|(_, way)| *way), Some(Way::Volume));
        assert_eq!(walk.end.map(|(node, _)| node.path), Some(root.join("..2026/key")));
    }
}
