import Logging
import Threading

/// Making an upload again whose connection was lost, or that stood still.
///
/// What has been sent is not lost with that: the next attempt looks how much of it has arrived, and goes on there, or begins
/// anew where that is not known for sure (`FileSystem+Broken`). Who is refused (no room, no permission) is told at once.
extension FileSystem {
    /// ``send(_:_:)``, as often as ``FileSystemConfiguration/retries`` allows.
    ///
    /// - Parameter isBackground: whether the caller has a schedule of its own for further attempts.
    func sendPersistently(
        _ content: FileContent, isBackground: Bool, _ cancellation: Cancellation
    ) throws(StoreError) -> Sent {
        let nextPause = isBackground ? { nil } : configuration.retries()
        while true {
            do throws(StoreError) {
                return try send(content, cancellation)
            } catch {
                guard error.isInterruption, !cancellation.isCancelled, let pause = nextPause() else {
                    throw error
                }
                logger.notice("an upload was cut off (\(error.reason)); trying again")
                try rest(pause, cancellation)
            }
        }
    }

    private func rest(_ span: Duration, _ cancellation: Cancellation) throws(StoreError) {
        guard span > .zero else { return }
        let outcome = Monitor(()).wait(until: .after(span), cancellation: cancellation) { _ -> Void? in nil }
        if case .cancelled = outcome { throw .cancelled }
    }
}
