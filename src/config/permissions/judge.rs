//! Decides what is wrong with the owner and the mode of a file or directory, and what corrects it. It is pure.
//!
//! A hint must never do harm: it takes rights only from those who do not need them. A file of root that a group may
//! read is how a service reads it that runs as another user, so the group keeps its right.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// The user that is root, and its group.
const ROOT: u32 = 0;
/// Rights in a mode: to read, and to change.
const READ: u32 = 0o4;
const CHANGE: u32 = 0o2;
const STICKY: u32 = 0o1000;

/// What is known of a file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Where it is, without a symbolic link on the way.
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) owner: u32,
    pub(super) group: u32,
    /// Whether nobody can change anything there, because the file system is read-only.
    pub(super) read_only: bool,
}

/// The process, as far as it decides who is somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) user: u32,
    /// Users that own what the gateway uses: root, the process's own, and that of the store's file.
    pub(super) owners: BTreeSet<u32>,
}

/// Something wrong, and how to correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) message: String,
    pub(super) hint: String,
}

/// Whether a file holds something that others must not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Secret,
    /// A key that its owner publishes. Whoever changes it decides whose signatures count.
    PublicKey,
}

/// What is wrong with the file of a secret.
pub(super) fn secret_file(file: &Node, content: Content, process: &Process) -> Vec<Found> {
    let mut found = Vec::new();
    if !file.read_only && !process.owners.contains(&file.owner) {
        found.push(Found {
            message: format!(
                "the file of this secret belongs to another user ({}), who can change it",
                file.owner
            ),
            hint: format!(
                "give {} to root, or to the user that the gateway runs as (chown)",
                file.path.display()
            ),
        });
    }
    let reading = if content == Content::Secret { READ } else { 0 };
    let changing = if file.read_only { 0 } else { CHANGE };
    let group =
        file.mode >> 3 & (changing | if group_needs_it(file, process) { 0 } else { reading });
    let all = file.mode & (changing | reading);
    if let Some((who, what)) = who(group, all, "file") {
        let message = format!("{who} can {what} the file of this secret");
        found.push(Found { message, hint: chmod(file, process) });
    }
    found
}

/// What is wrong with a file or directory of the configuration.
pub(super) fn configuration(node: &Node) -> Option<Found> {
    if node.read_only {
        return None;
    }
    let (who, what) = who(node.mode >> 3 & CHANGE, node.mode & CHANGE, "file")?;
    Some(Found {
        message: format!("{who} can {what} this, and so decide which jobs are started"),
        hint: format!("chmod go-w {}", node.path.display()),
    })
}

/// How a directory lies on the way to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The file, or the link to it, lies in this directory.
    Last,
    /// As `Last`, in a volume of Kubernetes, whose files the kubelet alone replaces.
    Volume,
    /// Another directory lies between.
    Above,
}

/// Who can put another file in the place of a secret, by way of a directory.
pub(super) fn directory(node: &Node, way: Way, process: &Process) -> Option<Found> {
    if node.read_only {
        return None;
    }
    let path = node.path.display();
    if !process.owners.contains(&node.owner) {
        return Some(Found {
            message: format!(
                "the directory {path} of this secret belongs to another user ({}), who can put another file in its place",
                node.owner
            ),
            hint: "keep secrets in a directory of root, or of the user that the gateway runs as"
                .to_owned(),
        });
    }
    let sticky = node.mode & STICKY != 0;
    let others = node.mode & CHANGE;
    let group = if node.group == ROOT { 0 } else { node.mode >> 3 & CHANGE };
    let place = "put another file in the place of this secret";
    let (who, may, hint) = match (way, sticky) {
        (Way::Volume, true) => return None,
        // Nobody can replace what another user owns there. A file that is missing can be made by anybody.
        (Way::Last, true) if others != 0 => (
            "everyone on this machine",
            "make the file of this secret as soon as it is missing",
            "keep secrets in a directory of their own".to_owned(),
        ),
        (Way::Above, true) | (_, true) => return None,
        (_, false) if others != 0 => {
            ("everyone on this machine", place, format!("chmod go-w {path}"))
        }
        (Way::Last | Way::Volume, false) if group != 0 => {
            ("the group of its directory", place, format!("chmod g-w {path}"))
        }
        _ => return None,
    };
    Some(Found { message: format!("{who} can {may}, in {path}"), hint })
}

/// Whether a process reads the file by its group, because root owns it.
fn group_needs_it(file: &Node, process: &Process) -> bool {
    file.owner == ROOT && (file.group != ROOT || process.user != ROOT || file.read_only)
}

fn chmod(file: &Node, process: &Process) -> String {
    let group = match (group_needs_it(file, process), file.mode >> 3 & CHANGE) {
        (false, _) => return format!("chmod go-rwx {}", file.path.display()),
        (true, 0) => "",
        (true, _) => "g-w,",
    };
    format!("chmod {group}o-rwx {}", file.path.display())
}

/// Who beside the owner has some of these rights, and what they can do.
fn who(group: u32, all: u32, of: &str) -> Option<(String, &'static str)> {
    let can = |bits: u32| match bits {
        CHANGE => "change",
        READ => "read",
        _ => "read and change",
    };
    match (all, group) {
        (0, 0) => None,
        (0, group) => Some((format!("the group of this {of}"), can(group))),
        (all, _) => Some(("everyone on this machine".to_owned(), can(all))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: u32 = 990;
    const GROUP: u32 = 2000;
    const STRANGER: u32 = 1234;

    fn node(mode: u32, owner: u32, group: u32) -> Node {
        Node { path: "/etc/gateway/key".into(), mode, owner, group, read_only: false }
    }

    fn of(user: u32) -> Process {
        Process { user, owners: BTreeSet::from([ROOT, user]) }
    }

    fn secret(mode: u32, owner: u32, group: u32, user: u32) -> Vec<(String, String)> {
        let found = secret_file(&node(mode, owner, group), Content::Secret, &of(user));
        found.into_iter().map(|found| (found.message, found.hint)).collect()
    }

    #[test]
    fn what_the_group_and_everyone_may_do_is_told_apart() {
        for (mode, said) in [
            (0o640, "the group of this file can read"),
            (0o620, "the group of this file can change"),
            (0o644, "everyone on this machine can read the"),
            (0o666, "everyone on this machine can read and change"),
            (0o602, "everyone on this machine can change"),
        ] {
            let found = secret(mode, APP, APP, APP);
            assert_eq!(found.len(), 1, "{mode:o}");
            assert!(found[0].0.starts_with(said), "{mode:o}: {found:?}");
            assert_eq!(found[0].1, "chmod go-rwx /etc/gateway/key");
        }
        for mode in [0o600, 0o400, 0o711] {
            assert!(secret(mode, APP, APP, APP).is_empty(), "{mode:o}");
        }
    }

    #[test]
    fn a_file_of_root_that_a_group_reads_is_right_and_no_hint_takes_that_from_it() {
        // As Kubernetes and packages have it, seen by the service and by an admin.
        for user in [APP, ROOT] {
            assert!(secret(0o440, ROOT, GROUP, user).is_empty());
            assert!(secret(0o640, ROOT, GROUP, user).is_empty());
            let hints = |mode| secret(mode, ROOT, GROUP, user).remove(0).1;
            assert_eq!(hints(0o444), "chmod o-rwx /etc/gateway/key");
            assert_eq!(hints(0o660), "chmod g-w,o-rwx /etc/gateway/key");
        }
        // As systemd has it, with an access list that the mode does not show.
        assert!(secret(0o440, ROOT, ROOT, APP).is_empty());
        assert_eq!(secret(0o440, ROOT, ROOT, ROOT).len(), 1);
    }

    #[test]
    fn a_file_of_another_user_is_named_with_its_owner() {
        let found = secret(0o600, STRANGER, STRANGER, APP);
        assert_eq!(found.len(), 1);
        assert!(found[0].0.contains("belongs to another user (1234)"), "{found:?}");
        assert!(!found[0].1.contains("chmod"), "{found:?}");
        assert!(secret(0o600, ROOT, ROOT, APP).is_empty());
    }

    #[test]
    fn of_a_public_key_only_changes_matter() {
        let judge = |mode| secret_file(&node(mode, APP, APP), Content::PublicKey, &of(APP)).len();
        assert_eq!((judge(0o644), judge(0o664), judge(0o646)), (0, 1, 1));
    }

    #[test]
    fn a_directory_that_others_write_lets_them_replace_the_secret() {
        let judge = |mode, owner, group, way| {
            directory(&node(mode, owner, group), way, &of(APP)).map(|found| found.message)
        };
        let root = |mode, way| judge(mode, ROOT, ROOT, way).unwrap_or_default();
        assert!(root(0o777, Way::Last).starts_with("everyone on this machine can put another"));
        assert!(root(0o777, Way::Above).starts_with("everyone on this machine can put another"));
        assert!(root(0o1777, Way::Last).contains("as soon as it is missing"));
        assert!(root(0o1777, Way::Above).is_empty());
        for (mode, way) in [(0o755, Way::Last), (0o775, Way::Last), (0o1777, Way::Volume)] {
            assert!(root(mode, way).is_empty(), "{mode:o}");
        }
        assert!(judge(0o770, APP, GROUP, Way::Last).is_some());
        assert!(judge(0o770, APP, GROUP, Way::Above).is_none());
        assert!(judge(0o3777, ROOT, GROUP, Way::Volume).is_none());
        assert!(judge(0o777, ROOT, GROUP, Way::Volume).is_some());
        let strangers = judge(0o700, STRANGER, STRANGER, Way::Above).unwrap_or_default();
        assert!(strangers.contains("belongs to another user (1234)"), "{strangers}");
    }

    #[test]
    fn nothing_on_a_read_only_file_system_can_be_changed() {
        let still = |mode, owner| Node { read_only: true, ..node(mode, owner, GROUP) };
        assert!(directory(&still(0o3777, ROOT), Way::Last, &of(APP)).is_none());
        assert!(configuration(&still(0o666, ROOT)).is_none());
        assert!(secret_file(&still(0o460, STRANGER), Content::PublicKey, &of(APP)).is_empty());
        assert_eq!(secret_file(&still(0o444, ROOT), Content::Secret, &of(APP)).len(), 1);
        assert!(secret_file(&still(0o440, ROOT), Content::Secret, &of(ROOT)).is_empty());
    }
}
