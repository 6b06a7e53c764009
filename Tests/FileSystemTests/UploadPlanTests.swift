import Testing
import Vocabulary

@testable import FileSystem

@Suite struct UploadPlanTests {
    private static let mega: Int64 = 1 << 20

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let serverSize: Int64?
        let writes: [Range<Int64>]
        let plan: UploadPlan
        var size: Int64?
        var appends = true
    }

    static let rows: [Row] = [
        Row(testDescription: "nothing", serverSize: 10, writes: [], plan: .nothing),
        Row(testDescription: "a byte at the end", serverSize: 10, writes: [10..<11], plan: .append(10..<11)),
        Row(
            testDescription: "a byte at the end of a server without a command for that", serverSize: 10,
            writes: [10..<11], plan: .whole, appends: false),
        Row(
            testDescription: "a hole and a byte behind the end", serverSize: 10, writes: [20..<21],
            plan: .append(10..<21)),
        Row(testDescription: "growing", serverSize: 10, writes: [], plan: .append(10..<100), size: 100),
        Row(testDescription: "cutting", serverSize: 100, writes: [], plan: .whole, size: 10),
        Row(testDescription: "a byte in a small file", serverSize: 1000, writes: [5..<6], plan: .whole),
        Row(
            testDescription: "a byte in a large file", serverSize: 32 * mega, writes: [mega..<mega + 1],
            plan: .patch([mega..<mega + 1])),
        Row(testDescription: "the first byte of a large file", serverSize: 32 * mega, writes: [0..<1], plan: .whole),
        Row(
            testDescription: "two bytes far from each other", serverSize: 32 * mega,
            writes: [mega..<mega + 1, 20 * mega..<20 * mega + 1],
            plan: .patch([mega..<mega + 1, 20 * mega..<20 * mega + 1])),
        Row(
            testDescription: "two bytes near each other, with something between that is not here",
            serverSize: 32 * mega, writes: [mega..<mega + 1, mega + 10..<mega + 11],
            plan: .patch([mega..<mega + 1, mega + 10..<mega + 11])),
        Row(
            testDescription: "a byte in the middle, and the end", serverSize: 32 * mega,
            writes: [mega..<mega + 1, 32 * mega..<33 * mega], plan: .patch([mega..<mega + 1, 32 * mega..<33 * mega])),
        Row(
            testDescription: "most of a file", serverSize: 4 * mega, writes: [1..<4 * mega], plan: .whole),
        Row(
            testDescription: "all of a file that is here", serverSize: 4 * mega, writes: [0..<4 * mega], plan: .whole),
        Row(
            testDescription: "bytes everywhere", serverSize: 200 * mega,
            writes: (1...100).map { $0 * mega..<$0 * mega + 1 }, plan: .whole),
        Row(testDescription: "another file", serverSize: nil, writes: [0..<5], plan: .whole),
    ]

    @Test(arguments: rows)
    func `sends the least`(_ row: Row) {
        var map = ExtentMap(size: row.serverSize ?? 0)
        for range in row.writes { map.wrote(range) }
        if let size = row.size { map.resize(to: size) }
        #expect(UploadPlan.choose(map, serverSize: row.serverSize, appends: row.appends) == row.plan)
    }

    @Test func `ranges near each other go together when what is between them is here`() {
        var map = ExtentMap(size: 32 * Self.mega)
        map.fetched(0..<8 * Self.mega)
        map.wrote(Self.mega..<Self.mega + 1)
        map.wrote(Self.mega + 1000..<Self.mega + 1001)
        #expect(
            UploadPlan.choose(map, serverSize: 32 * Self.mega) == .patch([Self.mega..<Self.mega + 1001]))
    }

    // MARK: - Temporary names

    @Test func `a temporary name is recognised, and says for which file it is`() throws {
        let made = try TemporaryName.make(for: name("report.txt"))
        #expect(TemporaryName.matches(made))
        #expect(TemporaryName.original(of: made) == Array("report.txt".utf8))
        let bare = try TemporaryName.make()
        #expect(TemporaryName.matches(bare))
        #expect(TemporaryName.original(of: bare) == nil)
        #expect(try TemporaryName.make() != bare)
    }

    @Test(arguments: [
        ("a b*c[d]", "a_b_c_d_"), (String(repeating: "x", count: 255), String(repeating: "x", count: 100)),
        // 99 bytes and the first of two of an ü.
        (String(repeating: "y", count: 99) + "üü", String(repeating: "y", count: 99)),
        ("naïve", "naïve"),
    ])
    func `it is one that every server takes`(original: String, rest: String) throws {
        let made = try TemporaryName.make(for: name(original))
        #expect(TemporaryName.original(of: made) == Array(rest.utf8))
        #expect(made.bytes.count <= 255)
    }

    @Test(arguments: [
        ".ftpfs-", ".ftpfs-1234", ".ftpfs-0123456789abcdeX", ".ftpfs-0123456789abcdef0", "ftpfs-0123456789abcdef",
        ".ftpfs-0123456789ABCDEF",
    ])
    func `other names are left alone`(other: String) {
        #expect(!TemporaryName.matches(name(other)))
    }
}
