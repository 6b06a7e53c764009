import Testing
import Vocabulary

@testable import FileSystem

/// What a stream has to find again when it is taken up is what the server has said, and not what we show.
struct ExpectedVersionTests {
    private static let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 0)

    @Test(
        arguments: [
            (nil, true), (.stored(time), true), (.guessed(time), false), (.kept(time, beside: nil), false),
        ] as [(OwnTime?, Bool)])
    func `a time that the server does not have is not expected of it`(_ own: OwnTime?, _ isExpected: Bool) {
        let inode = Inode(
            number: .root, kind: .file, attributes: RemoteAttributes(kind: .file, size: 5, modified: Self.time),
            version: 1)
        inode.ownTime = own
        #expect(inode.expected.size == 5)
        #expect((inode.expected.modified != nil) == isExpected)
    }
}
