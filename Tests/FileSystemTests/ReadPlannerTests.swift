import Testing

@testable import FileSystem

private let kib: Int64 = 1 << 10
private let mib: Int64 = 1 << 20
private let chunk = ReadPlanner.chunkSize
private let far = 500 * mib..<501 * mib

/// A script drives the planner as its owner does: every byte that arrives is noted, every request that has all its
/// bytes is taken back.
private struct Script {
    var planner: ReadPlanner
    var waiting: [UInt64: Range<Int64>] = [:]
    var arrived: Range<Int64> = 0..<0
    var opens: [Int64] = []
    var bytes: Int64 = 0
    private var lastID: UInt64 = 0

    init(size: Int64?) { planner = ReadPlanner(end: size) }

    /// A request for a range of which nothing is cached but what this stream has brought.
    @discardableResult
    mutating func request(_ range: Range<Int64>) -> Bool {
        lastID += 1
        let isCached = arrived.lowerBound <= range.lowerBound && range.upperBound <= arrived.upperBound
        let from = arrived.contains(range.lowerBound) ? arrived.upperBound : range.lowerBound
        if !isCached { waiting[lastID] = range }
        return planner.requested(range, missing: isCached ? nil : from..<range.upperBound, id: lastID)
    }

    /// Takes steps until the planner pauses or rests.
    mutating func runUntilIdle(isCrowded: Bool = false) -> ReadPlanner.Step {
        while true {
            switch planner.step(isCrowded: isCrowded) {
            case .open(let offset):
                opens.append(offset)
                arrived = offset..<offset
                planner.opening(at: offset)
                planner.opened()
            case .read:
                let position = planner.position ?? 0
                let rest = planner.end.map { $0 - position } ?? .max
                let count = min(chunk - position % chunk, rest)
                planner.arrived(count)
                bytes += count
                arrived = arrived.lowerBound..<position + count
                for (id, range) in waiting
                where arrived.lowerBound <= range.lowerBound && range.upperBound <= arrived.upperBound {
                    planner.settled(id)
                    waiting[id] = nil
                }
            case .drain:
                planner.closed()
            case .close:
                planner.closed()
            case .pause: return .pause
            case .rest: return .rest
            }
        }
    }
}

@Suite struct ReadPlannerTests {
    @Test func `nothing asked, nothing done`() {
        #expect(ReadPlanner(end: 10).step(isCrowded: false) == .rest)
    }

    @Test func `the first request opens a stream, and one window follows it`() {
        var script = Script(size: 1 << 30)

        script.request(0..<4 * kib)

        #expect(script.runUntilIdle() == .pause)
        #expect(script.opens == [0])
        #expect(script.bytes <= 256 * kib)
        #expect(script.waiting.isEmpty)
    }

    @Test func `a sequential read is one stream, with a window that grows to its bound`() {
        var script = Script(size: 100 * mib)
        var ahead: [Int64] = []

        for offset in stride(from: 0, to: 100 * mib, by: Int(128 * kib)) {
            script.request(offset..<offset + 128 * kib)
            _ = script.runUntilIdle()
            ahead.append((script.planner.position ?? 100 * mib) - offset - 128 * kib)
        }

        #expect(script.opens == [0])
        #expect(script.bytes == 100 * mib)
        #expect(ahead[0] <= 128 * kib)
        #expect(ahead.max() == ReadPlanner.largestWindow)
    }

    @Test(arguments: [[1, 0, 2], [7, 6, 5, 4, 3, 2, 1, 0], [3, 1, 0, 2, 5, 7, 4, 6]])
    func `read-ahead out of order needs no second stream`(order: [Int64]) {
        var script = Script(size: 100 * mib)

        for round in 0..<20 {
            let base = Int64(round) * Int64(order.count) * 128 * kib
            for place in order { script.request(base + place * 128 * kib..<base + (place + 1) * 128 * kib) }
            _ = script.runUntilIdle()
        }

        #expect(script.opens == [0])
        #expect(script.waiting.isEmpty)
    }

    @Test func `a small skip is read through, a large one is not`() {
        var script = Script(size: 1 << 30)
        script.request(0..<4 * kib)
        _ = script.runUntilIdle()

        script.request(mib..<mib + 4 * kib)
        _ = script.runUntilIdle()
        #expect(script.opens == [0])

        script.request(500 * mib + 5..<500 * mib + 9)
        _ = script.runUntilIdle()
        #expect(script.opens == [0, 500 * mib])
        #expect(script.waiting.isEmpty)
    }

    @Test func `after a jump there is no window until the reader goes on`() {
        var script = Script(size: 1 << 30)

        script.request(500 * mib..<500 * mib + 4 * kib)
        _ = script.runUntilIdle()
        #expect(script.bytes == chunk)

        script.request(500 * mib + 4 * kib..<500 * mib + 8 * kib)
        _ = script.runUntilIdle()
        #expect(script.bytes <= 3 * chunk)
    }

    @Test func `backward beyond what is cached opens another stream at a chunk's start`() {
        var script = Script(size: 1 << 30)
        script.request(500 * mib..<500 * mib + 4 * kib)
        _ = script.runUntilIdle()

        script.request(200 * mib + 1000..<200 * mib + 2000)
        _ = script.runUntilIdle()

        #expect(script.opens == [500 * mib, 200 * mib])
    }

    @Test func `a request that the stream cannot serve cuts it short, unless somebody else waits for it`() {
        var planner = ReadPlanner(end: 1 << 30)
        _ = planner.requested(0..<4096, missing: 0..<4096, id: 1)
        planner.opening(at: 0)
        planner.opened()

        let isCutForOther = planner.requested(far, missing: far, id: 2)
        #expect(!isCutForOther)
        #expect(planner.step(isCrowded: false) == .read)

        planner.settled(1)
        #expect(planner.step(isCrowded: false) == .close)

        planner.settled(2)
        let isCut = planner.requested(far, missing: far, id: 3)
        #expect(isCut)
    }

    @Test func `the oldest request decides, so that nobody starves`() {
        var script = Script(size: 1 << 30)

        script.request(0..<128 * kib)
        script.request(600 * mib..<600 * mib + 128 * kib)
        script.request(128 * kib..<256 * kib)
        _ = script.runUntilIdle()

        #expect(script.opens == [0, 600 * mib, 128 * kib])
        #expect(script.waiting.isEmpty)
    }

    @Test func `at the announced end the transfer is taken to its end`() {
        var planner = ReadPlanner(end: 4096)
        _ = planner.requested(0..<4096, missing: 0..<4096, id: 1)
        planner.opening(at: 0)
        planner.opened()
        planner.arrived(4096)
        planner.settled(1)

        #expect(planner.step(isCrowded: false) == .drain)
        planner.closed()
        #expect(planner.step(isCrowded: false) == .rest)
    }

    @Test func `a file that ends early has its size corrected, one that ends where it should has not`() {
        var planner = ReadPlanner(end: 8192)
        planner.opening(at: 0)
        planner.opened()
        planner.arrived(4096)
        #expect(planner.ended() == 4096)
        #expect(planner.end == 4096)

        var unknown = ReadPlanner(end: nil)
        unknown.opening(at: 0)
        unknown.opened()
        #expect(unknown.ended() == 0)
    }

    @Test func `a failure answers all who wait; the next request tries again`() {
        var planner = ReadPlanner(end: 1 << 30)
        _ = planner.requested(0..<10, missing: 0..<10, id: 1)
        _ = planner.requested(10..<20, missing: 10..<20, id: 2)
        planner.opening(at: 0)

        #expect(planner.failed() == [1, 2])
        #expect(planner.step(isCrowded: false) == .rest)
        _ = planner.requested(0..<10, missing: 0..<10, id: 3)
        #expect(planner.step(isCrowded: false) == .open(at: 0))
    }

    @Test func `a stream that we cut short is no failure`() {
        var planner = ReadPlanner(end: 1 << 30)
        planner.opening(at: 0)
        let isCut = planner.requested(far, missing: far, id: 1)
        #expect(isCut)

        #expect(planner.failed() == [])
        #expect(planner.step(isCrowded: false) == .open(at: 500 * mib))
    }

    @Test func `a paused stream gives way when others wait for a thread`() {
        var script = Script(size: 1 << 30)
        script.request(0..<4096)
        #expect(script.runUntilIdle() == .pause)

        #expect(script.runUntilIdle(isCrowded: true) == .rest)
    }

    @Test func `the last close ends the stream`() {
        var script = Script(size: 1 << 30)
        script.request(0..<4096)
        _ = script.runUntilIdle()

        let hadStream = script.planner.released()
        #expect(hadStream)
        #expect(script.planner.step(isCrowded: false) == .close)
        script.planner.closed()
        #expect(script.planner.step(isCrowded: false) == .rest)
    }
}
