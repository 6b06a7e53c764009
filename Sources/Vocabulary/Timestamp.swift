/// A moment of the calendar: seconds since 1970-01-01T00:00:00Z without leap seconds, and nanoseconds into the second.
package struct Timestamp: Hashable, Sendable {
    /// Whole seconds since the epoch; negative before it.
    package var seconds: Int64
    /// 0 ..< 1,000,000,000.
    package var nanoseconds: UInt32

    /// A moment; nanoseconds of a second or more are cut to the largest allowed value.
    package init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = min(nanoseconds, 999_999_999)
    }
}

extension Timestamp: Comparable {
    /// Earlier moments come first.
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}
