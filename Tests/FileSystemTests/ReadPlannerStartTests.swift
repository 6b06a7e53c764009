import Testing

@testable import FileSystem

/// A stream that has been opened brings something for whoever it was opened for: else it would be closed and opened again at
/// the same place for ever, and its reader would hang.
@Suite struct ReadPlannerStartTests {
    private static let page: Int64 = 4 << 10
    private static let unit = ReadPlanner.startUnit
    private static let far: Int64 = 100 << 20
    private static let skip = ReadPlanner.skipDistance

    /// Requests of one read-ahead, the last one first, around the distance that a stream skips.
    @Test(
        arguments: [skip - page, skip - 1, skip, skip + 1, skip + page] as [Int64],
        [0, 1, page, unit - 1, unit, far, far + 1, far + page, far + unit - 1] as [Int64])
    func `a stream gets to the oldest request from where it begins`(_ distance: Int64, _ earlier: Int64) {
        var planner = ReadPlanner(end: 1 << 30)
        let oldest = earlier + distance
        let lane = planner.requested(oldest..<oldest + Self.page, missing: oldest..<oldest + Self.page, id: 1).lane ?? 0
        _ = planner.requested(earlier..<earlier + Self.page, missing: earlier..<earlier + Self.page, id: 2)
        guard case .open(let offset) = planner.step(lane, isCrowded: false) else {
            Issue.record("no stream is opened")
            return
        }
        planner.opening(lane, at: offset)
        planner.opened(lane)
        #expect(offset <= oldest)
        #expect(planner.step(lane, isCrowded: false) == .read)
    }
}
