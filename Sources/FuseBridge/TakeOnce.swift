import Threading

/// Holds a reply for a closure that may be called from another thread, and gives it out once.
///
/// A closure that escapes cannot consume what it captured, because it could be called twice; this can. If nobody takes
/// the value, it goes with the box: a reply then answers EIO by itself.
final class TakeOnce<Value: ~Copyable & Sendable>: Sendable {
    private let value: Monitor<Value?>

    init(_ value: consuming Value) {
        self.value = Monitor(value)
    }

    /// The value at the first call, `nil` at later ones.
    func take() -> Value? {
        value.withLock { $0.take() }
    }
}
