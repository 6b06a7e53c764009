import Testing
import Threading
import Vocabulary

@testable import FileSystem

@Suite struct WriteStateTests {
    private func local(size: Int64, base: Int64 = 0) -> WriteState {
        var state = WriteState()
        state.beginTail(base: size, version: 1)
        return state
    }

    private func upload(_ state: inout WriteState) -> WriteState.Upload? { state.beginUpload(Cancellation()) }

    @Test(arguments: [
        (offset: Int64(0), isAppend: false, size: Int64?(100), WriteState.Admission.needsWhole),
        (offset: 99, isAppend: false, size: 100, .needsWhole),
        (offset: 100, isAppend: false, size: 100, .needsTail(base: 100)),
        (offset: 5000, isAppend: false, size: 100, .needsTail(base: 100)),
        (offset: 0, isAppend: true, size: 100, .needsTail(base: 100)),
        (offset: 0, isAppend: false, size: 0, .needsTail(base: 0)),
        (offset: 0, isAppend: true, size: nil, .needsWhole),
    ])
    func `the first write of a file on the server`(
        offset: Int64, isAppend: Bool, size: Int64?, expected: WriteState.Admission
    ) {
        #expect(WriteState().admit(offset: offset, isAppend: isAppend, remoteSize: size) == expected)
    }

    @Test func `appended bytes are sent alone, also after an earlier upload`() {
        var state = local(size: 100)
        state.wrote(at: 100, count: 10, isAppend: true)
        #expect(state.change == .appended(from: 100, byAppend: true))

        let first = upload(&state)
        #expect(first?.change == .appended(from: 100, byAppend: true))
        #expect(state.nextWish(version: 2) == nil)
        state.wrote(at: 110, count: 5, isAppend: false)

        #expect(upload(&state)?.change == .appended(from: 110, byAppend: false))
    }

    @Test func `a write below the tail needs the whole file`() {
        let state = local(size: 100)
        #expect(state.admit(offset: 50, isAppend: false, remoteSize: 100) == .needsWhole)
        #expect(state.admit(offset: 0, isAppend: true, remoteSize: 100) == .ready(at: 100))
    }

    @Test func `O_APPEND goes to the end, whatever the offset`() {
        var state = WriteState()
        state.beginPending(mode: nil)
        state.wrote(at: 0, count: 7, isAppend: false)
        #expect(state.admit(offset: 0, isAppend: true, remoteSize: nil) == .ready(at: 7))
    }

    @Test func `what is written during an upload keeps the file dirty`() {
        var state = WriteState()
        state.beginPending(mode: nil)
        state.wrote(at: 0, count: 10, isAppend: false)
        let sent = upload(&state)
        state.wrote(at: 10, count: 10, isAppend: false)

        #expect(sent?.size == 10)
        #expect(state.nextWish(version: 1) == nil)
        #expect(state.isDirty)
        #expect(upload(&state)?.change == .appended(from: 10, byAppend: false))
    }

    @Test func `a failed upload leaves all of it dirty`() throws {
        var state = local(size: 100)
        state.wrote(at: 100, count: 10, isAppend: true)
        let sent = try #require(upload(&state))
        state.wrote(at: 110, count: 10, isAppend: true)

        state.uploadFailed(sent, StoreError(.noSpace, "full"))

        #expect(state.change == .appended(from: 100, byAppend: true))
        #expect(upload(&state)?.appendFailed == true)
    }

    @Test func `a new file is sent even when it is empty, and once`() {
        var state = WriteState()
        state.beginPending(mode: nil)
        #expect(upload(&state)?.change == .rewritten)
        #expect(state.nextWish(version: 1) == nil)
        #expect(upload(&state) == nil)
        #expect(!state.isPending)
    }

    @Test func `nothing is sent of a file without a name`() {
        var state = WriteState()
        state.beginPending(mode: nil)
        state.isUnlinked = true
        #expect(!state.isDirty)
        #expect(upload(&state) == nil)
    }

    @Test func `times set on unsent content are wished; a later write withdraws them`() {
        var state = WriteState()
        let wishedTooEarly = state.wish(.time(Timestamp(seconds: 5)))
        state.beginPending(mode: 0o755)
        let wished = state.wish(.time(Timestamp(seconds: 5)))
        #expect(!wishedTooEarly && wished)
        #expect(state.wantedTime == Timestamp(seconds: 5))

        state.wrote(at: 0, count: 1, isAppend: false)

        #expect(state.wantedTime == nil)
        _ = upload(&state)
        #expect(state.nextWish(version: 1) == .mode(0o755))
        #expect(state.nextWish(version: 1) == nil)
    }

    @Test(arguments: [
        (WriteState.Change.none, WriteState.Change.none, WriteState.Change.none),
        (.none, .rewritten, .rewritten),
        (.rewritten, .none, .rewritten),
        (.appended(from: 5, byAppend: true), .none, .appended(from: 5, byAppend: true)),
        (.appended(from: 5, byAppend: true), .appended(from: 9, byAppend: true), .appended(from: 5, byAppend: true)),
        (.appended(from: 5, byAppend: true), .appended(from: 9, byAppend: false), .appended(from: 5, byAppend: false)),
        (.appended(from: 5, byAppend: true), .rewritten, .rewritten),
    ])
    func `one change after another`(first: WriteState.Change, later: WriteState.Change, both: WriteState.Change) {
        #expect(first.followed(by: later) == both)
    }
}
