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
