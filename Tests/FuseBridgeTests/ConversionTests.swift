import CFuseBridge
import FileSystem
import Testing
import Vocabulary

@testable import FuseBridge

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The kernel's values and ours.
@Suite struct ConversionTests {
    @Test(arguments: openFlagRows)
    func openFlags(kernel: Int32, flags: OpenFlags) {
        #expect(OpenFlags(kernel: kernel) == flags)
    }

    static let openFlagRows: [(Int32, OpenFlags)] = [
        (O_RDONLY, OpenFlags.read),
        (O_WRONLY, .write),
        (O_RDWR, [.read, .write]),
        // 3 is a mode of its own on Linux: both are checked, neither is given; drivers use it.
        (O_ACCMODE, [.read, .write]),
        (O_WRONLY | O_APPEND, [.write, .append]),
        (O_RDWR | O_TRUNC, [.read, .write, .truncate]),
        (O_WRONLY | O_CREAT | O_EXCL, [.write, .exclusive]),
        (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_SYNC, .read),
    ]

    @Test(
        arguments: [
            (0, []), (1, .noReplace), (2, .exchange), (3, [.noReplace, .exchange]),
        ] as [(UInt32, RenameOptions)])
    func renameFlags(kernel: UInt32, options: RenameOptions) throws {
        #expect(try RenameOptions(kernel: kernel) == options)
    }

    @Test(arguments: [4, 5, 1 << 31] as [UInt32])
    func unknownRenameFlagsAreRefused(kernel: UInt32) {
        #expect { try RenameOptions(kernel: kernel) } throws: { ($0 as? StoreError)?.kind == .invalidArgument }
    }

    @Test(arguments: [
        (0, AttributeChange()),
        (CFUSE_SET_MODE, AttributeChange(mode: 0o640)),
        (CFUSE_SET_USER | CFUSE_SET_GROUP, AttributeChange(userID: 5, groupID: 6)),
        (CFUSE_SET_SIZE, AttributeChange(size: 7)),
        (CFUSE_SET_MODIFIED, AttributeChange(modified: .to(Timestamp(seconds: -8, nanoseconds: 9)))),
        (CFUSE_SET_MODIFIED | CFUSE_SET_MODIFIED_NOW, AttributeChange(modified: .now)),
    ])
    func attributeChanges(set: Int, change: AttributeChange) {
        let kernel = cfuse_change(
            set: UInt32(set), mode: 0o640, user: 5, group: 6, size: 7, modified_seconds: -8, modified_nanoseconds: 9)
        #expect(AttributeChange(kernel) == change)
    }

    @Test(arguments: [
        (Duration.zero, 0.0), (.seconds(10), 10.0), (.milliseconds(1500), 1.5), (.seconds(-3), 0.0),
        (.seconds(Int64.max), 9_223_372_036_854_775_807.0),
    ])
    func timeouts(duration: Duration, seconds: Double) {
        #expect(duration.inSeconds == seconds)
    }

    @Test func attributesCarryTheTypeInTheMode() {
        let attributes = Attributes(
            inode: InodeNumber(3), kind: .symbolicLink, mode: 0o100777, linkCount: 1, userID: 4, groupID: 5, size: 6,
            modified: Timestamp(seconds: 7, nanoseconds: 8))
        let kernel = cfuse_attributes(attributes)
        #expect(kernel.mode == S_IFLNK | 0o777)
        #expect((kernel.inode, kernel.user, kernel.group) == (3, 4, 5))
        #expect((kernel.size, kernel.modified_seconds, kernel.modified_nanoseconds) == (6, 7, 8))
    }

    @Test(
        arguments: [
            (SpaceAnswer(total: 8192, free: 4096, blockSize: 4096), 2, 1, 4096),
            (SpaceAnswer(total: .max, free: 0, blockSize: 0), .max, 0, 1),
        ] as [(SpaceAnswer, UInt64, UInt64, UInt32)])
    func space(answer: SpaceAnswer, blocks: UInt64, free: UInt64, size: UInt32) {
        let kernel = cfuse_space(answer)
        #expect((kernel.blocks, kernel.free_blocks, kernel.block_size) == (blocks, free, size))
    }

    @Test(arguments: ["a\nb", "a\rb", "a/b", "."])
    func aNameThatNoServerCanHaveIsNotThereAndCannotBeMade(name: String) {
        #expect { try FileName(sought: name) } throws: { ($0 as? StoreError)?.kind == .notFound }
        #expect { try FileName(wanted: name) } throws: { ($0 as? StoreError)?.kind == .invalidArgument }
    }

    @Test func aNameThatIsTooLongIsTooLongForBoth() {
        let name = String(repeating: "n", count: 256)
        #expect { try FileName(sought: name) } throws: { ($0 as? StoreError)?.kind == .nameTooLong }
        #expect { try FileName(wanted: name) } throws: { ($0 as? StoreError)?.kind == .nameTooLong }
    }

    @Test func bytesThatAreNotUTF8AreANameLikeAnyOther() throws {
        let bytes: [CChar] = [-1, 0x61, 0]
        #expect(try FileName(sought: bytes).bytes == [0xFF, 0x61])
    }
}
