import Testing

@testable import FileSystem

private let kib: Int64 = 1 << 10
private let mib: Int64 = 1 << 20
private let chunk = ReadPlanner.chunkSize
private let far = 500 * mib..<501 * mib

/// A script drives the planner as its owner does: every byte that arrives is noted, every request that has all its
/// bytes is taken back. What has arrived stays cached.
private struct Script {
    var planner: ReadPlanner
    var waiting: [UInt64: Range<Int64>] = [:]
    var arrived: [Range<Int64>] = []
    var opens: [Int64] = []
    var bytes: Int64 = 0
    var lanes: Set<Int> = []
    private var lastID: UInt64 = 0

    init(size: Int64?, lanes: Int = 1) {
        planner = ReadPlanner(end: size)
        planner.laneLimit = lanes
    }

    /// The end of what is cached from an offset on.
    private func end(from offset: Int64) -> Int64 {
        var end = offset
        while let next = arrived.first(where: { $0.contains(end) }) { end = next.upperBound }
        return end
    }

    @discardableResult
    mutating func request(_ range: Range<Int64>) -> ReadPlanner.Reaction {
        lastID += 1
        let from = end(from: range.lowerBound)
        let isCached = from >= range.upperBound
        if !isCached { waiting[lastID] = range }
        let reaction = planner.requested(range, missing: isCached ? nil : from..<range.upperBound, id: lastID)
        if let lane = reaction.lane { lanes.insert(lane) }
        return reaction
    }

    /// Takes steps until every lane pauses or rests, and says which of the two the first one does.
    @discardableResult
    mutating func runUntilIdle(isCrowded: Bool = false) -> ReadPlanner.Step {
        var last = ReadPlanner.Step.rest
        var isIdle = false
        while !isIdle {
            isIdle = true
            for lane in lanes.sorted() {
                let step = take(lane, isCrowded)
                if lane == lanes.min() { last = step }
                if step != .pause && step != .rest { isIdle = false }
                if step == .rest { lanes.remove(lane) }
            }
        }
        return last
    }

    private mutating func take(_ lane: Int, _ isCrowded: Bool) -> ReadPlanner.Step {
        let step = planner.step(lane, isCrowded: isCrowded)
        switch step {
        case .open(let offset):
            opens.append(offset)
            planner.opening(lane, at: offset)
            planner.opened(lane)
        case .read:
            let position = planner.position(of: lane) ?? 0
            let rest = planner.end.map { $0 - position } ?? .max
            let count = min(chunk - position % chunk, rest)
            planner.arrived(count, lane)
            bytes += count
            arrived.append(position..<position + count)
            for (id, range) in waiting where end(from: range.lowerBound) >= range.upperBound {
                planner.settled(id)
                waiting[id] = nil
            }
        case .drain, .close:
            planner.closed(lane)
        case .pause, .rest:
            break
        }
        return step
    }
}

@Suite struct ReadPlannerTests {
    @Test func `nothing asked, nothing done`() {
        var planner = ReadPlanner(end: 10)
        #expect(planner.step(0, isCrowded: false) == .rest)
    }

    @Test func `the first request opens a stream, and one window follows it`() {
        var script = Script(size: 1 << 30)

        script.request(0..<4 * kib)

        #expect(script.runUntilIdle() == .pause)
        #expect(script.opens == [0])
        #expect(script.bytes <= 256 * kib)
        #expect(script.waiting.isEmpty)
    }

    @Test func `a sequential read that is never kept waiting is one stream, with a steady window`() {
        var script = Script(size: 100 * mib)
        var ahead: [Int64] = []

        for offset in stride(from: 0, to: 100 * mib, by: Int(128 * kib)) {
            script.request(offset..<offset + 128 * kib)
            script.runUntilIdle()
            ahead.append((script.planner.position(of: 0) ?? 100 * mib) - offset - 128 * kib)
        }

        #expect(script.opens == [0])
        #expect(script.bytes == 100 * mib)
        #expect(ahead[0] <= 128 * kib)
        #expect(ahead.max() == ReadPlanner.steadyWindow)
    }

    @Test func `a reader that empties the window while the stream was paused gets a larger one, up to a bound`() {
        var script = Script(size: 1 << 30)
        var ahead: [Int64] = []
        var offset: Int64 = 0

        for _ in 0..<20 {
            script.runUntilIdle()
            // More than is here: the reader takes all of it at once and has to wait for the last piece.
            let end = (script.planner.position(of: 0) ?? 0) + 128 * kib
            while offset < end {
                script.request(offset..<offset + 128 * kib)
                offset += 128 * kib
            }
            script.runUntilIdle()
            ahead.append((script.planner.position(of: 0) ?? 0) - offset)
        }

        #expect(script.opens == [0])
        // Its last piece may begin below the bound.
        let furthest = ahead.max() ?? 0
        #expect(furthest >= ReadPlanner.largestWindow && furthest < ReadPlanner.largestWindow + chunk)
    }

    @Test func `a paused stream goes on when half of its window is used, and not before`() {
        var script = Script(size: 1 << 30)
        var offset: Int64 = 0
        for _ in 0..<64 {
            script.request(offset..<offset + 128 * kib)
            offset += 128 * kib
            script.runUntilIdle()
        }
        // The window is full now and then; count the requests that make the stream go on.
        var wakes = 0
        for _ in 0..<64 {
            if script.request(offset..<offset + 128 * kib).wakes { wakes += 1 }
            offset += 128 * kib
            script.runUntilIdle()
        }
        #expect((1...8).contains(wakes))
    }

    @Test(arguments: [[1, 0, 2], [7, 6, 5, 4, 3, 2, 1, 0], [3, 1, 0, 2, 5, 7, 4, 6]], [1, 4])
    func `read-ahead out of order needs no second stream`(order: [Int64], lanes: Int) {
        var script = Script(size: 100 * mib, lanes: lanes)

        for round in 0..<20 {
            let base = Int64(round) * Int64(order.count) * 128 * kib
            for place in order { script.request(base + place * 128 * kib..<base + (place + 1) * 128 * kib) }
            script.runUntilIdle()
        }

        #expect(script.opens == [0])
        #expect(script.waiting.isEmpty)
    }

    @Test func `a small skip is read through, a large one is not`() {
        var script = Script(size: 1 << 30)
        script.request(0..<4 * kib)
        script.runUntilIdle()

        script.request(mib..<mib + 4 * kib)
        script.runUntilIdle()
        #expect(script.opens == [0])

        script.request(500 * mib + 5..<500 * mib + 9)
        script.runUntilIdle()
        #expect(script.opens == [0, 500 * mib])
        #expect(script.waiting.isEmpty)
    }

    @Test func `after a jump there is no window until the reader goes on`() {
        var script = Script(size: 1 << 30)

        script.request(500 * mib..<500 * mib + 4 * kib)
        script.runUntilIdle()
        #expect(script.bytes == chunk)

        script.request(500 * mib + 4 * kib..<500 * mib + 8 * kib)
        script.runUntilIdle()
        #expect(script.bytes <= 3 * chunk)
    }

    @Test func `a stream after a jump begins at the request, or a page in front of it`() {
        var script = Script(size: 1 << 30)
        script.request(500 * mib + 100 * kib..<500 * mib + 104 * kib)
        script.request(200 * mib + 1000..<200 * mib + 2000)

        script.runUntilIdle()

        #expect(script.opens == [500 * mib + 96 * kib, 200 * mib])
    }

    @Test func `a small read near the beginning does not bring what is in front of it`() {
        var script = Script(size: 1 << 30)
        script.request(900 * kib..<904 * kib)
        script.runUntilIdle()
        #expect(script.opens == [896 * kib])
    }

    @Test func `who only jumps has its streams given up at once, so that the connection is ready for the next`() {
        var script = Script(size: 1 << 30)
        var steps: [ReadPlanner.Step] = []
        for place: Int64 in [900, 17, 450, 1000] {
            script.request(place * mib..<place * mib + 4 * kib)
            steps.append(script.runUntilIdle())
        }
        #expect(steps == [.pause, .pause, .rest, .rest])
    }

    @Test func `two distant readers each keep a stream, if there may be two`() {
        var script = Script(size: 1 << 30, lanes: 2)
        for step in 0..<200 {
            for base in [0, 500 * mib] {
                let offset = base + Int64(step) * 128 * kib
                script.request(offset..<offset + 128 * kib)
                script.runUntilIdle()
            }
        }
        // Until the first has been seen to go on, it may have been taken for one that jumps.
        #expect(script.opens.count <= 4)
        #expect(script.opens.contains(500 * mib))
        #expect(script.waiting.isEmpty)
    }

    @Test func `a jump beside a sequential reader does not cost that reader its stream`() {
        var script = Script(size: 1 << 30, lanes: 2)
        var offset: Int64 = 0
        for round in 0..<20 {
            for _ in 0..<4 {
                script.request(offset..<offset + 128 * kib)
                script.runUntilIdle()
                offset += 128 * kib
            }
            let far = Int64(300 + (round * 37) % 600) * mib
            script.request(far..<far + 4 * kib)
            script.runUntilIdle()
        }
        #expect(script.opens.count(where: { $0 < 100 * mib }) == 1)
        #expect(script.opens.count == 21)
    }

    @Test func `with one stream allowed the readers take turns, and all are served`() {
        var script = Script(size: 1 << 30)
        for step in 0..<4 {
            for base in [0, 300 * mib, 600 * mib] {
                let offset = base + Int64(step) * 128 * kib
                script.request(offset..<offset + 128 * kib)
            }
            script.runUntilIdle()
            #expect(script.planner.laneCount <= 1)
        }
        #expect(script.waiting.isEmpty)
    }

    @Test func `a request that the stream cannot serve cuts it short, unless somebody else waits for it`() {
        var planner = ReadPlanner(end: 1 << 30)
        _ = planner.requested(0..<4096, missing: 0..<4096, id: 1)
        planner.opening(0, at: 0)
        planner.opened(0)

        #expect(planner.requested(far, missing: far, id: 2).interrupted == nil)
        #expect(planner.step(0, isCrowded: false) == .read)

        planner.settled(1)
        #expect(planner.step(0, isCrowded: false) == .close)

        planner.settled(2)
        #expect(planner.requested(far, missing: far, id: 3).interrupted == 0)
    }

    @Test func `the oldest request decides, so that nobody starves`() {
        var script = Script(size: 1 << 30)

        script.request(0..<chunk)
        script.request(600 * mib..<600 * mib + chunk)
        script.request(chunk..<2 * chunk)
        script.runUntilIdle()

        #expect(script.opens == [0, 600 * mib, chunk])
        #expect(script.waiting.isEmpty)
    }

    @Test func `at the announced end the transfer is taken to its end`() {
        var planner = ReadPlanner(end: 4096)
        _ = planner.requested(0..<4096, missing: 0..<4096, id: 1)
        planner.opening(0, at: 0)
        planner.opened(0)
        planner.arrived(4096, 0)
        planner.settled(1)

        #expect(planner.step(0, isCrowded: false) == .drain)
        planner.closed(0)
        #expect(planner.step(0, isCrowded: false) == .rest)
    }

    @Test func `a file that ends early has its size corrected, one that ends where it should has not`() {
        var planner = ReadPlanner(end: 8192)
        _ = planner.requested(0..<8192, missing: 0..<8192, id: 1)
        planner.opening(0, at: 0)
        planner.opened(0)
        planner.arrived(4096, 0)
        #expect(planner.ended(0) == 4096)
        #expect(planner.end == 4096)

        var unknown = ReadPlanner(end: nil)
        _ = unknown.requested(0..<10, missing: 0..<10, id: 1)
        unknown.opening(0, at: 0)
        unknown.opened(0)
        #expect(unknown.ended(0) == 0)
    }

    @Test func `a failure answers all who wait for that stream; the next request tries again`() {
        var planner = ReadPlanner(end: 1 << 30)
        planner.laneLimit = 2
        _ = planner.requested(0..<10, missing: 0..<10, id: 1)
        _ = planner.requested(10..<20, missing: 10..<20, id: 2)
        let other = planner.requested(far, missing: far, id: 3).lane
        planner.opening(0, at: 0)

        #expect(planner.failed(0) == [1, 2])
        #expect(planner.step(0, isCrowded: false) == .rest)
        #expect(other == 1)
        #expect(planner.step(1, isCrowded: false) == .open(at: far.lowerBound))
        let again = planner.requested(0..<10, missing: 0..<10, id: 4).lane
        #expect(again == 0)
        #expect(planner.step(0, isCrowded: false) == .open(at: 0))
    }

    @Test func `a stream that we cut short is no failure`() {
        var planner = ReadPlanner(end: 1 << 30)
        _ = planner.requested(0..<10, missing: 0..<10, id: 1)
        planner.opening(0, at: 0)
        planner.settled(1)
        #expect(planner.requested(far, missing: far, id: 2).interrupted == 0)

        #expect(planner.failed(0) == [])
        #expect(planner.step(0, isCrowded: false) == .open(at: 500 * mib))
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
        script.runUntilIdle()

        #expect(script.planner.released() == [0])
        #expect(script.planner.step(0, isCrowded: false) == .close)
        script.planner.closed(0)
        #expect(script.planner.step(0, isCrowded: false) == .rest)
    }
}
