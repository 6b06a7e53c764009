import Testing
import Vocabulary

@testable import EmbeddedFTPServer

/// What tests put into a tree and see in it.
@Suite struct MemoryTreeTests {
    @Test func keepsWhatIsAdded() {
        let tree = MemoryTree()
        tree.add("a/b/c", text: "x", mode: 0o600)
        tree.addLink("l", target: "a/b")
        tree.addDirectory("a")
        #expect(tree.names(in: .root) == [bytes("a"), bytes("l")])
        #expect(tree.contents(of: "l/c") == bytes("x"))
        #expect(tree.contents(of: "/a/./b/../b/c") == bytes("x"))
        #expect(tree.contents(of: "a/b") == nil)
        #expect(tree.kind(of: "l") == .symbolicLink)
        #expect(tree.attributes(of: "a/b/c")?.mode == 0o600)
        #expect(tree.attributes(of: "a/b/c")?.modified == MemoryTree.defaultTime)
        tree.remove("a")
        #expect(!tree.exists("a/b/c"))
    }

    @Test func distinguishesNamesThatLookTheSame() {
        let tree = MemoryTree()
        let names: [[UInt8]] = [bytes("e\u{301}"), bytes("\u{e9}"), [0xFF], [0xFE]]
        for name in names { tree.add(ServerPath(components: [name]), contents: name) }
        #expect(tree.names(in: .root) == names)
        for name in names { #expect(tree.contents(of: ServerPath(components: [name])) == name) }
    }

    @Test func survivesLinksInCircles() {
        let tree = MemoryTree()
        tree.addLink("a", target: "b")
        tree.addLink("b", target: "a")
        #expect(tree.contents(of: "a") == nil)
        #expect(tree.exists("a"))
    }

    /// Writing at any place of a sparse file, compared with an array.
    @Test(arguments: [(0, 10), (65_530, 12), (65_536, 65_536), (200_000, 100_000), (0, 0)])
    func writesAcrossPages(offset: Int, count: Int) throws {
        let file = MemoryFile(size: 150_000, filling: .pattern)
        var model = (0..<150_000).map { MemoryTree.patternByte(at: Int64($0)) }
        let new = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        while model.count < offset { model.append(MemoryTree.patternByte(at: Int64(model.count))) }
        model.replaceSubrange(offset..<min(model.count, offset + count), with: new)

        new.withUnsafeBytes { file.write($0, at: Int64(offset)) }

        var read = [UInt8](repeating: 0, count: 400_000)
        let length = read.withUnsafeMutableBytes { file.read(into: $0, at: 0) }
        #expect(length == model.count)
        #expect(Array(read[..<length]) == model)
    }

    @Test func cutsAndGrows() {
        let file = MemoryFile([UInt8](repeating: 1, count: 100))
        file.resize(to: 10)
        file.resize(to: 20)
        var read = [UInt8](repeating: 9, count: 100)
        #expect(read.withUnsafeMutableBytes { file.read(into: $0, at: 0) } == 20)
        #expect(read[..<20] == ([UInt8](repeating: 1, count: 10) + [UInt8](repeating: 0, count: 10))[...])
    }

    @Test func costsNothingForWhatNobodyWrote() {
        let file = MemoryFile(size: 5 << 40, filling: .zeros)
        [1].withUnsafeBytes { file.write($0, at: 3 << 40) }
        #expect(file.storedBytes == 65_536)
    }
}

/// The pattern of a shell.
@Suite struct NamePatternTests {
    @Test(arguments: [
        ("*", "", true), ("*", "abc", true), ("a*c", "abbbc", true), ("a*c", "abcd", false), ("*a*b*", "xaxbx", true),
        ("?", "", false), ("a?c", "abc", true), ("[abc]x", "bx", true), ("[a-c]x", "dx", false), ("[!a]x", "bx", true),
        ("[^a]x", "ax", false), ("[]]x", "]x", true), ("[x", "[x", true), ("*.t[x]t", "a.txt", true),
        ("**a", "bba", true), ("a[", "a[", true),
    ])
    func matches(pattern: String, name: String, isMatch: Bool) throws {
        #expect(try #require(NamePattern(bytes(pattern))).matches(bytes(name)) == isMatch)
    }

    @Test func knowsWhatIsNoPattern() {
        #expect(NamePattern(bytes("plain-name.txt")) == nil)
    }
}

/// Dates.
@Suite struct CivilTimeTests {
    @Test(arguments: [
        (0, "19700101000000"), (951_782_400, "20000229000000"), (1_709_210_096, "20240229123456"),
        (-1, "19691231235959"),
        (4_102_444_799, "20991231235959"), (-2_203_891_200, "19000301000000"), (253_402_300_799, "99991231235959"),
    ])
    func writesAndReads(seconds: Int64, digits: String) {
        let time = Timestamp(seconds: seconds)
        #expect(CivilTime(time).digits == digits)
        #expect(CivilTime.parse(bytes(digits)) == time)
        #expect(CivilTime.parse(bytes(digits + ".123")) == time)
    }

    @Test(arguments: [
        "", "2020", "20201301000000", "20200132000000", "2020010200000x", "20200102240000", "202001020304055",
    ])
    func refusesWhatIsNoDate(text: String) {
        #expect(CivilTime.parse(bytes(text)) == nil)
    }
}
