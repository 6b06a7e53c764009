#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A moment on the machine's monotonic clock (CLOCK_MONOTONIC), which never jumps; nanoseconds since some fixed start.
package struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's start.
    package let nanoseconds: Int64

    /// The given nanoseconds since the clock's start. For tests; everybody else asks ``now``.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The present moment.
    package static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// This moment moved by a span; what the type cannot hold becomes its earliest or latest moment.
    package func advanced(by span: Duration) -> Instant {
        let sum = Int128(nanoseconds) + span.attoseconds / 1_000_000_000
        return Instant(nanoseconds: Int64(clamping: sum))
    }

    /// The span from an earlier moment to this one; negative if `other` is later.
    package func since(_ other: Instant) -> Duration {
        Duration(attoseconds: (Int128(nanoseconds) - Int128(other.nanoseconds)) * 1_000_000_000)
    }
}

/// The latest moment at which a wait may still go on. Every wait in ftpfs has one.
package struct Deadline: Hashable, Sendable {
    /// When the wait ends; `nil` for a wait whose end another deadline bounds.
    package let instant: Instant?

    /// A deadline at a moment.
    package static func at(_ instant: Instant) -> Deadline { Deadline(instant: instant) }

    /// A deadline some span from now.
    package static func after(_ span: Duration) -> Deadline { Deadline(instant: Instant.now.advanced(by: span)) }

    /// No limit of its own. Only for waits whose end is bounded elsewhere (the caller says where).
    package static let never = Deadline(instant: nil)

    /// Whether the moment has come.
    package var hasPassed: Bool {
        guard let instant else { return false }
        return Instant.now >= instant
    }

    /// The earlier of two deadlines.
    package func earlier(_ other: Deadline) -> Deadline {
        guard let mine = instant else { return other }
        guard let others = other.instant else { return self }
        return mine <= others ? self : other
    }

    /// What is left for `poll(2)`: whole milliseconds rounded up, 0 when the moment has come, -1 for no limit.
    package var pollTimeout: Int32 {
        guard let instant else { return -1 }
        let left = instant.since(.now)
        guard left > .zero else { return 0 }
        let (seconds, attoseconds) = left.components
        // A poll of more than a day is asked again by its loop; the cut keeps the arithmetic inside Int32.
        guard seconds < 86_400 else { return 86_400_000 }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    private init(instant: Instant?) {
        self.instant = instant
    }
}
