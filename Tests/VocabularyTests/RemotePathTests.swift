import Testing
import Vocabulary

@Suite struct RemotePathTests {
    private func path(_ names: String...) throws -> RemotePath {
        RemotePath(try names.map { try FileName(validating: $0) })
    }

    @Test func rootHasNoNameAndIsItsOwnParent() {
        #expect(RemotePath.root.isRoot)
        #expect(RemotePath.root.name == nil)
        #expect(RemotePath.root.parent == .root)
        #expect(RemotePath.root.joined.isEmpty)
        #expect(RemotePath.root.description == "/")
    }

    @Test func appendingAndParentAreInverse() throws {
        let name = try FileName(validating: "c")
        let directory = try path("a", "b")
        let file = directory.appending(name)
        #expect(file == (try path("a", "b", "c")))
        #expect(file.name == name)
        #expect(file.parent == directory)
        #expect(!file.isRoot)
        #expect(try path("a").parent == .root)
    }

    @Test func joinsWithSlashes() throws {
        #expect(try path("a b", "ü").joined == Array("a b/ü".utf8))
        #expect(try path("a", "b").description == "/a/b")
    }

    @Test func differentNamesAreDifferentPaths() throws {
        #expect(try path("ab", "c") != path("a", "bc"))
        #expect(try Set([path("a", "b"), path("a", "b"), path("b", "a")]).count == 2)
    }

    @Test func timestampsOrderByNanosecondsToo() {
        #expect(Timestamp(seconds: 1) < Timestamp(seconds: 1, nanoseconds: 1))
        #expect(Timestamp(seconds: -1, nanoseconds: 999_999_999) < Timestamp(seconds: 0))
        #expect(Timestamp(seconds: 0, nanoseconds: 2_000_000_000).nanoseconds == 999_999_999)
    }
}
