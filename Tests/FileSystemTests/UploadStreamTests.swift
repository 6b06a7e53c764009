import Testing

@testable import FileSystem

@Suite struct UploadStreamTests {
    private static let piece = UploadStream.piece
    private static let enough = UploadStream.threshold

    enum Event: Sendable {
        case reset(at: Int64)
        case write(Range<Int64>, asks: Bool = false)
        case begin(Bool)
        case decline
        case next(UploadStream.Step, isIdle: Bool = false)
        case sent(to: Int64)
        case end(UploadStream.End, isRunning: Bool)
        case ended
        case failed
    }

    struct Script: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let events: [Event]

        init(_ what: String, _ events: [Event]) {
            testDescription = what
            self.events = events
        }
    }

    static let scripts: [Script] = [
        Script(
            "a small file is left to its close", [.write(0..<enough - 1), .end(.finish(at: enough), isRunning: false)]),
        Script(
            "a large one is sent as it comes",
            [
                .write(0..<100), .write(100..<enough, asks: true), .write(enough..<enough + 5), .begin(true),
                .next(.send(0..<enough + 5)), .sent(to: enough + 5), .next(.wait), .write(enough + 5..<enough + 6),
                .next(.send(enough + 5..<enough + 6)),
            ]),
        Script(
            "in pieces, so that other wishes are seen",
            [
                .write(0..<3 * piece, asks: true), .begin(true), .next(.send(0..<piece)), .sent(to: piece),
                .next(.send(piece..<2 * piece)), .end(.pause, isRunning: true), .sent(to: 2 * piece), .next(.finish),
            ]),
        Script(
            "a close ends it at the end of the file, however much follows",
            [
                .write(0..<enough, asks: true), .begin(true), .end(.finish(at: enough + 10), isRunning: true),
                .write(enough..<enough + 100), .next(.send(0..<enough + 10)), .sent(to: enough + 10), .next(.finish),
                .ended,
            ]),
        Script(
            "a second close may be further on, and does not go back",
            [
                .write(0..<enough, asks: true), .begin(true), .end(.finish(at: enough + 10), isRunning: true),
                .end(.finish(at: enough), isRunning: true), .end(.pause, isRunning: true),
                .next(.send(0..<enough + 10)),
            ]),
        Script(
            "it pauses when nothing comes, and goes on behind what was sent",
            [
                .write(0..<enough, asks: true), .begin(true), .next(.send(0..<enough)), .sent(to: enough),
                .next(.wait), .next(.finish, isIdle: true), .ended, .write(enough..<enough + 1),
                .write(enough + 1..<2 * enough, asks: true), .begin(true), .next(.send(enough..<2 * enough)),
            ]),
        Script(
            "behind what the server has",
            [
                .reset(at: 1000), .write(1000..<1000 + enough, asks: true), .begin(true),
                .next(.send(1000..<1000 + enough)),
            ]),
        Script(
            "a gap is waited for",
            [
                .write(0..<enough, asks: true), .write(2 * enough..<3 * enough), .begin(true),
                .next(.send(0..<enough)), .sent(to: enough), .next(.wait), .write(enough..<2 * enough + 1),
                .next(.send(enough..<2 * enough + 1)),
            ]),
        Script("a file that begins with a gap is no stream", [.write(10..<10 * enough)]),
        Script(
            "a write behind what was sent does not end it",
            [
                .write(0..<enough, asks: true), .begin(true), .next(.send(0..<enough)), .sent(to: enough),
                .write(0..<10), .next(.wait), .write(enough..<enough + 1), .next(.send(enough..<enough + 1)),
            ]),
        Script(
            "who keeps going back is no sequential writer",
            [.write(0..<enough, asks: true), .begin(true), .next(.send(0..<enough)), .sent(to: enough)]
                + (0...UploadStream.maximumReturns).map { _ in .write(0..<10) } + [.next(.abandon)]),
        Script(
            "a truncation ends it at once",
            [
                .write(0..<enough, asks: true), .begin(true), .end(.abandon, isRunning: true),
                .end(.finish(at: 5), isRunning: true), .next(.abandon), .failed, .write(enough..<5 * enough),
                .reset(at: 0), .write(0..<enough, asks: true),
            ]),
        Script(
            "a thread that comes too late has nothing to do",
            [
                .write(0..<enough, asks: true), .end(.finish(at: enough), isRunning: false), .begin(false),
                .write(enough..<enough + 1, asks: true),
            ]),
        Script(
            "a thread that cannot begin is asked for again",
            [.write(0..<enough, asks: true), .decline, .write(enough..<enough + 1, asks: true)]),
        Script(
            "after a failure it is left to the close",
            [.write(0..<enough, asks: true), .begin(true), .failed, .write(enough..<10 * enough)]),
    ]

    @Test(arguments: scripts)
    func `does as its rules say`(_ script: Script) {
        var stream = UploadStream()
        for (index, event) in script.events.enumerated() {
            switch event {
            case .reset(let offset): stream.reset(at: offset)
            case .write(let range, let asks): #expect(stream.wrote(range) == asks, "event \(index): \(event)")
            case .begin(let isWanted): #expect(stream.begin() == isWanted, "event \(index): \(event)")
            case .decline: stream.decline()
            case .next(let step, let isIdle): #expect(stream.next(isIdle: isIdle) == step, "event \(index): \(event)")
            case .sent(let offset): stream.sent(to: offset)
            case .end(let end, let isRunning): #expect(stream.end(end) == isRunning, "event \(index): \(event)")
            case .ended: stream.ended()
            case .failed: stream.failed()
            }
        }
    }

    @Test func `the lag is what has been written and not been handed over, while that goes on`() {
        var stream = UploadStream()
        _ = stream.wrote(0..<Self.enough)
        #expect(stream.lag == 0)
        _ = stream.begin()
        #expect(stream.lag == Self.enough)
        stream.sent(to: 100)
        #expect(stream.lag == Self.enough - 100)
        stream.end(.pause)
        #expect(stream.lag == 0)
    }
}
