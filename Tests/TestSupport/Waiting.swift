import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// How many times as long as usual a program may take: `FTPFS_TEST_PATIENCE`, which `scripts/test` sets for those that are built
/// with a sanitizer.
package let patience = max(1, getenv("FTPFS_TEST_PATIENCE").flatMap { Int(String(cString: $0)) } ?? 1)

/// Waits until something is true that other processes bring about; the only place in the tests that sleeps.
///
/// - Returns: whether it came true within the span, which is stretched for programs that are slow by nature.
package func waitUntil<Failure: Error>(
    within span: Duration, _ condition: () throws(Failure) -> Bool
) throws(Failure) -> Bool {
    let deadline = Deadline.after(span * patience)
    while !(try condition()) {
        if deadline.hasPassed { return false }
        // Short enough not to add up over hundreds of processes, long enough not to take a core away from them.
        usleep(2_000)
    }
    return true
}
