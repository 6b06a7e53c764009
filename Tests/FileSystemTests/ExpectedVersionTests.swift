import Testing
import Vocabulary

@testable import FileSystem

/// What a stream has to find again when it is taken up is what the server has said, and not what we show.
struct ExpectedVersionTests {
    private static let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 0)

    @Test(
        arguments: [
            (nil, true), (.stored(time), true), (.shown(time, as: time, .minute), true), (.guessed(time), false),
            (.kept(time, beside: nil), false),
        ] as [(OwnTime?, Bool)])
    func `a time that the server does not have is not expected of it`(_ own: OwnTime?, _ isExpected: Bool) {
        let inode = Inode(
            number: .root, kind: .file, attributes: RemoteAttributes(kind: .file, size: 5, modified: Self.time),
            version: 1)
        inode.ownTime = own
        #expect(inode.expected.size == 5)
        #expect((inode.expected.modified != nil) == isExpected)
    }

    /// Where `LIST` shows minutes, the look before sending a file tells the second: of a file of ours, that is no change.
    @Test(
        arguments: [
            (OwnTime.shown(Timestamp(seconds: 125), as: Timestamp(seconds: 120), .minute), 128, true),
            (.shown(Timestamp(seconds: 125), as: Timestamp(seconds: 120), .minute), 119, false),
            (.shown(Timestamp(seconds: 125), as: Timestamp(seconds: 120), .minute), 180, false),
            (.stored(Timestamp(seconds: 125)), 128, false),
            (.guessed(Timestamp(seconds: 125)), 500, true),
        ] as [(OwnTime, Int64, Bool)])
    func `what the server has is compared with what it has shown, and not with our clock`(
        _ own: OwnTime, _ now: Int64, _ isSame: Bool
    ) {
        let inode = Inode(
            number: .root, kind: .file,
            attributes: RemoteAttributes(kind: .file, size: 5, modified: Timestamp(seconds: 120)), version: 1)
        inode.ownTime = own
        let seen = RemoteAttributes(kind: .file, size: 5, modified: Timestamp(seconds: now))
        #expect(RemoteBase(of: inode).isSame(as: seen) == isSame)
    }
}
