import Testing

/// Everything that mounts a file system, one test after the other: the machine has two cores, a mount is a process of its
/// own, and a test that waits for it blocks its thread.
@Suite(.serialized)
enum Mounts {}
