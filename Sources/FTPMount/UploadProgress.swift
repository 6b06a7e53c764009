import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Waits for an answer that comes when all is sent, and shows meanwhile, on a terminal, how that gets on.
struct UploadProgress {
    /// How often the line is drawn: what a person sees as movement.
    private static let interval = Duration.milliseconds(200)
    /// How long the rest of an answer may take that has begun to come.
    private static let answerLimit = Duration.seconds(10)

    private let style: TerminalStyle
    private let isShown: Bool
    /// The most that has been seen to be unsent: what there was to do.
    private var most: Int64 = 0
    private var hasLine = false

    /// - Parameter descriptor: where it is shown, if that is a terminal.
    init(on descriptor: FileDescriptor = .standardError) {
        style = .suiting(descriptor.rawValue)
        isShown = isatty(descriptor.rawValue) == 1
    }

    /// Waits for as long as it takes: the mounting process bounds each of its steps, and Ctrl-C ends this.
    mutating func wait(
        for question: ControlClient.Question, of client: ControlClient
    ) throws(ControlClient.Failure) -> JSON {
        defer { clear() }
        while !question.isAnswered(within: isShown ? Self.interval : .seconds(3600)) {
            guard isShown, let status = try? client.status() else { continue }
            draw(line(for: status))
        }
        return try question.answer(until: .after(Self.answerLimit))
    }

    /// `sending 3 files [####------]  41 %, 12.4 MB left`
    mutating func line(for status: MountStatus) -> String {
        let left = status.uploads.reduce(0) { $0 + max(0, $1.total - $1.done) }
        most = max(most, left)
        guard status.uploadCount > 0 else { return "ending" }
        let bar = Layout.bar(most - left, of: most, width: 30)
        let percent = Layout.right("\(Quantity.percent(most - left, of: most))", to: 3)
        return
            "sending \(Quantity.count(status.uploadCount, "file")) \(style.cyan(bar)) \(percent) %, \(Quantity.bytes(left)) left"
    }

    private mutating func draw(_ text: String) {
        hasLine = true
        // Carriage return, the text, and what an earlier one had behind it goes (ECMA-48 §8.3.41, EL).
        _ = try? FileDescriptor.standardError.writeAll("\r\(text)\u{1B}[K".utf8)
    }

    private mutating func clear() {
        guard hasLine else { return }
        hasLine = false
        _ = try? FileDescriptor.standardError.writeAll("\r\u{1B}[K".utf8)
    }
}
