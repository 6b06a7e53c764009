import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Waits until something is true that other processes bring about; the only place in the tests that sleeps.
///
/// - Returns: whether it came true within the span.
package func waitUntil<Failure: Error>(
    within span: Duration, _ condition: () throws(Failure) -> Bool
) throws(Failure) -> Bool {
    let deadline = Deadline.after(span)
    while !(try condition()) {
        if deadline.hasPassed { return false }
        // Short enough not to add up over hundreds of processes, long enough not to take a core away from them.
        usleep(2_000)
    }
    return true
}
