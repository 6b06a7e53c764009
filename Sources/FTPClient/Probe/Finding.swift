/// One thing that a probe found out about a server, for a person and for a program.
package struct Finding: Hashable, Sendable {
    /// What it is about; the order is that of a report.
    package enum Section: String, CaseIterable, Sendable {
        case connection, security, data, listing, files, names, limits, rate
    }

    /// What was found.
    package enum Value: Hashable, Sendable {
        case yes
        case no
        /// It was not tried, or the trial came to no end; ``Outcome/note`` says why.
        case unknown
        /// The server's own words are untrusted: whoever shows them escapes them first.
        case text(String)
        case number(Int64, Unit)
    }

    /// What a number counts.
    package enum Unit: String, Sendable {
        case microseconds, seconds, count
        case bytesPerSecond = "bytes_per_second"
    }

    /// A value, and one sentence on it where there is something to say.
    package struct Outcome: Hashable, Sendable {
        package let value: Value
        package let note: String?

        init(_ value: Value, _ note: String? = nil) {
            self.value = value
            self.note = note
        }

        /// A condition that was looked at.
        init(_ holds: Bool, _ note: String? = nil) {
            self.init(holds ? .yes : .no, note)
        }
    }

    package let section: Section
    /// The name for programs; stays the same from version to version.
    package let key: String
    /// The name for people.
    package let title: String
    package let outcome: Outcome
}
