import EmbeddedFTPServer
import FTPClient
import FileSystem
import Testing
import Vocabulary

/// One thing that a program does with a mount, for which the server is asked.
struct FaultyOperation: Sendable, CustomTestStringConvertible {
    let name: String
    /// The commands that it consists of on the wire, from ``prepare`` on; each of them is made to fail.
    let verbs: [String]
    var setting = FaultyMount.Setting()
    /// What is done before the fault, so that only what is meant meets it.
    var prepare: @Sendable (FaultyMount) throws -> Void = { _ = try $0.names("d") }
    var run: @Sendable (FaultyMount) throws -> Void
    /// Those of ``verbs`` without which it can be done, or for which there is another way, whatever is said against them.
    var spared: Set<String> = []
    /// Those for which there is another way where the server does not know them.
    var replaceable: Set<String> = []
    var usesBig = false
    /// What a failure may leave of the file `path`, besides the old content and the new one.
    var halfway: Halfway?

    /// What lies between the old content of a file and the new one.
    struct Halfway: Sendable {
        let path: String
        let isSound: @Sendable ([UInt8]) -> Bool
    }

    var testDescription: String { name }

    /// What is on the server before.
    func fill(_ tree: MemoryTree) {
        tree.add("d/small", text: "old")
        tree.add("d/other", text: "other")
        // For those alone that need it: all of it is compared each time.
        if usesBig { tree.add("d/big", contents: Self.big) }
        tree.add("full/inner", text: "x")
        tree.addDirectory("empty")
        tree.add("kept/file", text: "kept")
        // Else two runs would differ in the times of what they make.
        tree.setNow(Timestamp(seconds: 1_800_000_000))
    }

    static let small = [UInt8]("old".utf8)
    static let new = [UInt8]("the new content of the file".utf8)
    static let large = [UInt8](repeating: 7, count: 700_000)
    static let bigSize = 3 << 20
    static let big = (0..<bigSize).map { MemoryTree.patternByte(at: Int64($0)) }
    static let middle = 1_500_000..<1_500_027
}
