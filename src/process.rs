//! What is set for the whole process, before it reads any secret.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

/// Keeps the process's memory to itself: the system writes no image of it when it crashes, and no other
/// process of the same user may read or trace it. Secrets lie in that memory.
///
/// Where the system refuses either of the two, the process runs without it, as other programs do.
pub fn keep_memory_private() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
}

/// What the process uses of the machine. A number is 0 where the system does not tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processor time in user and system mode, in seconds.
    pub cpu_seconds: f64,
    /// Memory in RAM.
    pub resident_bytes: u64,
    /// Size of the address space.
    pub virtual_bytes: u64,
    /// Open file descriptors.
    pub open_files: u64,
    /// File descriptors that the process may have.
    pub most_files: u64,
    /// When the process began, in seconds since 1970.
    pub started_seconds: f64,
}

/// Clock ticks a second in `/proc`: `USER_HZ`, which is 100 on every architecture that Linux calls by its
/// present names (proc(5)).
const TICKS: f64 = 100.0;

impl Usage {
    /// Reads `/proc`. It blocks, though for no disk.
    pub fn now() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let open_files =
            std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64);
        let most_files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        // The descriptor of the directory itself is among those that are counted.
        let open_files = open_files.saturating_sub(1);
        Self {
            open_files,
            most_files,
            ..Self::of(&read("/proc/self/stat"), &read("/proc/stat"), &read("/proc/self/status"))
        }
    }

    /// What the three files say (proc(5)).
    fn of(own: &str, system: &str, status: &str) -> Self {
        // The second field is the program's name in parentheses, and may hold anything; the third follows the last
        // parenthesis.
        let fields: Vec<&str> =
            own.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace().collect();
        let field = |number: usize| -> f64 {
            fields.get(number - 3).and_then(|text| text.parse().ok()).unwrap_or(0.0)
        };
        let kilobytes = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number =
                line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
            number.unwrap_or(0).saturating_mul(1024)
        };
        let booted =
            system.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
        Self {
            cpu_seconds: (field(14) + field(15)) / TICKS,
            resident_bytes: kilobytes("VmRSS:"),
            virtual_bytes: kilobytes("VmSize:"),
            started_seconds: booted.map_or(0.0, |booted| booted + field(22) / TICKS),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_uses_is_read_from_proc() {
        let own = "42 (a (name) 7) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 17 18 12345 20 21";
        let status = "Name:\ta\nVmSize:\t  2048 kB\nVmRSS:\t    1024 kB\n";
        let usage = Usage::of(own, "cpu 1\nbtime 1790000000\n", status);
        assert_eq!((usage.cpu_seconds, usage.started_seconds), (3.0, 1_790_000_123.45));
        assert_eq!((usage.resident_bytes, usage.virtual_bytes), (1 << 20, 2 << 20));
        assert_eq!(Usage::of("", "", ""), Usage::default());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something_of_everything() {
        let usage = Usage::now();
        assert!(
            usage.resident_bytes > 0 && usage.virtual_bytes > usage.resident_bytes,
            "{usage:?}"
        );
        assert!(usage.open_files > 2 && usage.most_files >= usage.open_files, "{usage:?}");
        assert!(usage.started_seconds > 1.6e9, "{usage:?}");
    }
}
