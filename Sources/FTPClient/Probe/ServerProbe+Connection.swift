import FTPProtocol
import Threading
import Vocabulary

/// Who answers, how fast, and what it says of itself.
extension ServerProbe {
    static let connectionSteps: [Step] = [
        Step(section: .connection, key: "address", title: "address") { (run) throws(FTPError) in
            .init(.text(try run.session().control.peer().description))
        },
        Step(section: .connection, key: "greeting", title: "greeting") { (run) throws(FTPError) in
            .init(.text(printable(try run.session().greeting)))
        },
        Step(section: .connection, key: "system", title: "system (SYST)") { (run) throws(FTPError) in
            .init(.text(printable(try run.session().complete(Command("SYST"), run.cancellation).text)))
        },
        Step(section: .connection, key: "features", title: "features (FEAT)") { (run) throws(FTPError) in
            let labels = try run.session().server.known.features?.labels ?? []
            return labels.isEmpty ? .init(.no, "none are announced") : .init(.text(labels.joined(separator: " ")))
        },
        Step(section: .connection, key: "round_trip", title: "round trip") { (run) throws(FTPError) in
            let session = try run.session()
            // Five: enough that one that came late does not count.
            var spans: [Duration] = []
            for _ in 0..<5 {
                let start = Instant.now
                _ = try session.exchange(Command("NOOP"), run.cancellation)
                spans.append(Instant.now.since(start))
            }
            return .init(.number(spans.sorted()[2].wholeMicroseconds, .microseconds))
        },
    ]
}

extension Duration {
    /// Rounded down; what does not fit becomes the largest number.
    var wholeMicroseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000_000) }
}
