import Testing
import Threading
import Vocabulary

@testable import FileSystem

@Suite struct WriteStateTests {
    private let later = Instant(nanoseconds: 1_000_000_000)

    /// A file that the server has.
    private func known(size: Int64) -> WriteState {
        var state = WriteState()
        state.begin(serverSize: size, version: 1)
        return state
    }

    /// A file that was just made.
    private func pending(mode: UInt32? = nil) -> WriteState {
        var state = WriteState()
        state.beginPending(mode: mode)
        return state
    }

    /// Sends what the plan says, with success.
    private func send(_ state: inout WriteState) {
        let begun = state.beginUpload(Cancellation())
        #expect(begun)
        switch state.plan(appends: true).plan {
        case .nothing: break
        case .append(let range):
            state.beginAttempt(.name, from: range.lowerBound, isAppend: true)
            state.hand(over: range)
            state.confirmed(trustedUntil: later)
        case .patch(let ranges):
            state.patch(ranges)
            state.patched(.name, trustedUntil: later)
        case .whole:
            state.mayExist()
            state.beginAttempt(.name, from: 0, isAppend: false)
            state.hand(over: 0..<state.size)
            state.confirmed(trustedUntil: later)
        }
        while state.nextWishes(version: 2) != nil {}
    }

    @Test func `appended bytes are sent alone, also after an earlier upload`() {
        var state = known(size: 100)
        _ = state.wrote(100..<110, isAppend: true)
        #expect(state.plan(appends: true).plan == .append(100..<110))
        #expect(state.isAppendOnly)
        send(&state)
        #expect(!state.isDirty)
        _ = state.wrote(110..<115, isAppend: false)
        #expect(state.plan(appends: true).plan == .append(110..<115))
        #expect(!state.isAppendOnly)
    }

    @Test func `after an upload of our own the size is known for a while`() {
        var state = known(size: 100)
        #expect(!state.isSizeTrusted(at: Instant(nanoseconds: 0)))
        _ = state.wrote(100..<110, isAppend: true)
        send(&state)
        #expect(state.isSizeTrusted(at: Instant(nanoseconds: 0)))
        #expect(!state.isSizeTrusted(at: later))
    }

    @Test func `what is written during an upload keeps the file dirty`() {
        var state = pending()
        _ = state.wrote(0..<10, isAppend: false)
        let begun = state.beginUpload(Cancellation())
        #expect(begun)
        state.beginAttempt(.name, from: 0, isAppend: false)
        state.hand(over: 0..<10)
        _ = state.wrote(5..<20, isAppend: false)
        state.confirmed(trustedUntil: later)
        #expect(state.nextWishes(version: 1) == nil)
        #expect(state.isDirty)
        #expect(state.unsentRanges == [5..<20])
    }

    @Test func `a failed upload leaves all of it dirty`() {
        var state = known(size: 100)
        _ = state.wrote(100..<110, isAppend: true)
        _ = state.beginUpload(Cancellation())
        state.beginAttempt(.name, from: 100, isAppend: true)
        state.hand(over: 100..<110)
        _ = state.wrote(110..<120, isAppend: true)
        state.uploadFailed(StoreError(.noSpace, "full"))
        #expect(state.isDirty)
        #expect(state.unsentRanges == [100..<120])
        #expect(!state.shouldTryAgain)
    }

    @Test(arguments: [
        // How long the server's file is, what is left to append, whether the broken transfer is gone on with.
        (Int64?(100), [100..<Int64(120)], true), (105, [105..<120], true), (110, [110..<120], true),
        (99, [100..<120], false), (111, [100..<120], false), (nil, [100..<120], false),
    ])
    func `what has arrived of a broken append is not sent again`(
        size: Int64?, left: [Range<Int64>], goesOn: Bool
    ) {
        var state = known(size: 100)
        _ = state.wrote(100..<110, isAppend: true)
        _ = state.beginUpload(Cancellation())
        state.beginAttempt(.name, from: 100, isAppend: true)
        state.hand(over: 100..<110)
        _ = state.wrote(110..<120, isAppend: true)
        state.uploadFailed(StoreError(.inputOutput, "lost"))
        let result = state.resolveBroken(size: size, trustedUntil: later)
        #expect(result == goesOn)
        #expect(state.unsentRanges == left)
    }

    @Test func `a new file is sent even when it is empty, and once`() {
        var state = pending()
        #expect(state.isUntouched)
        #expect(state.plan(appends: true).plan == .whole)
        send(&state)
        #expect(!state.isDirty && !state.isPending && !state.isUntouched)
        let again = state.beginUpload(Cancellation())
        #expect(!again)
    }

    @Test func `nothing is sent of a file without a name`() {
        var state = pending()
        state.isUnlinked = true
        let begun = state.beginUpload(Cancellation())
        #expect(!state.isDirty && !begun)
    }

    @Test func `times set on unsent content are wished; a later write withdraws them`() {
        var state = WriteState()
        let wishedTooEarly = state.wish(.time(Timestamp(seconds: 5)))
        state.beginPending(mode: 0o755)
        let wished = state.wish(.time(Timestamp(seconds: 5)))
        #expect(!wishedTooEarly && wished)
        #expect(state.wantedTime == Timestamp(seconds: 5))
        _ = state.wrote(0..<1, isAppend: false)
        #expect(state.wantedTime == nil)
        #expect(state.nextWishes(version: 1) == WriteState.Wishes(mode: 0o755))
        #expect(state.nextWishes(version: 1) == nil)
    }

    @Test(arguments: [
        // The new size; whether what the server has can stay.
        (Int64(100), true), (150, true), (110, true), (99, false), (0, false),
    ])
    func `a file that is cut below the server's end is replaced`(size: Int64, keeps: Bool) {
        var state = known(size: 100)
        _ = state.wrote(100..<110, isAppend: false)
        state.resized(to: size)
        #expect(state.mustReplace == !keeps)
        #expect(state.size == size)
        if size == 100 { #expect(!state.isDirty) }
    }

    @Test func `what somebody could miss is replaced beside it, what nobody could is not`() {
        var state = known(size: 100)
        state.resized(to: 0)
        #expect(state.mustReplace && state.replacesContent)
        send(&state)
        #expect(!state.replacesContent)
        #expect(!pending().replacesContent)
        var unknown = WriteState()
        unknown.beginEmpty(serverSize: nil)
        #expect(unknown.replacesContent)
        _ = unknown.wrote(0..<5, isAppend: false)
        unknown.resized(to: 0)
        #expect(unknown.replacesContent)
    }

    @Test func `a complete part at a temporary name is gone on with`() {
        var state = known(size: 100)
        state.resized(to: 0)
        _ = state.wrote(0..<50, isAppend: false)
        state.beginAttempt(.temporary, from: 0, isAppend: false)
        state.hand(over: 0..<50)
        state.confirmed(trustedUntil: later)
        #expect(state.isDirty)
        #expect(state.plan(appends: true) == (.nothing, .temporary))
        _ = state.wrote(50..<60, isAppend: false)
        #expect(state.plan(appends: true) == (.append(50..<60), .temporary))
        _ = state.wrote(0..<1, isAppend: false)
        #expect(state.plan(appends: true) == (.whole, .temporary))
    }

    @Test(arguments: [(Int64(5), true), (3, true), (0, true), (6, false)])
    func `an append to an empty file that broke goes on where it arrived, and is never there twice`(
        size: Int64, goesOn: Bool
    ) {
        var state = WriteState()
        state.begin(serverSize: 0, version: 1)
        _ = state.wrote(0..<5, isAppend: true)
        #expect(state.plan(appends: true).plan == .append(0..<5))
        state.beginAttempt(.name, from: 0, isAppend: true)
        state.hand(over: 0..<5)
        let trust = Instant(nanoseconds: 1)
        #expect(state.attempt?.isAppend == true)
        #expect(state.resolveBroken(size: size, trustedUntil: trust) == goesOn)
        guard goesOn else { return }
        let rest: UploadPlan =
            switch size {
            case 5: .nothing
            case 3: .append(3..<5)
            default: .append(0..<5)
            }
        #expect(state.plan(appends: true).plan == rest)
    }
}
