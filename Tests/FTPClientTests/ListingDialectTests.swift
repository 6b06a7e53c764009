import EmbeddedFTPServer
import FTPMount
import FTPProtocol
import FileSystem
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Listings of a whole server in odd dialects: what is shown, and what that costs.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ListingDialectTests {
    private static func dialect(_ base: Dialect, _ change: (inout Dialect) -> Void) -> Dialect {
        var dialect = base
        change(&dialect)
        return dialect
    }

    private static func fill(_ tree: MemoryTree) {
        tree.add("d/inner", text: "x")
        tree.add("d/.hidden", text: "x")
        tree.add("e/other", text: "x")
        tree.add("[a-c] *?/f", text: "x")
        tree.add("b/wrong", text: "x")
        tree.addDirectory("empty")
        tree.add(".dot", text: "x")
        tree.add("file", text: "hello")
    }

    private static let shown = [".dot", "[a-c] *?", "b", "d", "e", "empty", "file"]

    /// Every oddity with the two products that list in the two ways.
    private static let dialects: [(String, Dialect)] = [Dialect.vsftpd, .proftpd].flatMap { base in
        [
            ("plain", dialect(base) { _ in }),
            ("the argument of LIST is ignored", dialect(base) { $0.quirks.insert(.ignoresListArgument) }),
            ("the argument of MLSD is ignored", dialect(base) { $0.quirks.insert(.ignoresMachineListArgument) }),
            ("empty directories are refused by LIST", dialect(base) { $0.quirks.insert(.refusesEmptyListing) }),
            ("empty directories are refused by MLSD", dialect(base) { $0.quirks.insert(.refusesEmptyMachineListing) }),
            ("listings are refused in TYPE I", dialect(base) { $0.quirks.insert(.listsInASCIIOnly) }),
            ("files can be entered", dialect(base) { $0.quirks.insert(.entersFiles) }),
            ("arguments are split at blanks", dialect(base) { $0.quirks.insert(.splitsListArgumentAtBlanks) }),
            ("patterns come before names", dialect(base) { $0.quirks.remove(.prefersLiteralName) }),
            ("what is missing is listed as empty", dialect(base) { $0.quirks.insert(.listsNothingForMissing) }),
            ("LIST begins with a total", dialect(base) { $0.quirks.insert(.listsTotal) }),
            ("MLST and MLSD are announced and missing", dialect(base) { $0.lacks.formUnion(["MLST", "MLSD"]) }),
            ("lines in the style of DOS", dialect(base) { $0.listing = .dos }),
            ("-a is taken for a name", dialect(base) { $0.quirks.subtract([.listsWithOptions, .hidesDotFiles]) }),
            (
                "-a is taken for a name that is not there",
                dialect(base) {
                    $0.quirks.subtract([.listsWithOptions, .hidesDotFiles])
                    $0.quirks.insert(.listsNothingForMissing)
                }
            ),
            (
                "-a hides the others",
                dialect(base) {
                    $0.quirks.insert(.listsOnlyDotFilesWithOption)
                    $0.quirks.subtract([.listsDotAndDotDot, .hidesDotFiles])
                }
            ),
        ].map { ("\(base.name): \($0.0)", $0.1) }
    }

    @Test(arguments: dialects)
    func everyDirectoryIsShownAsItIs(_ name: String, _ dialect: Dialect) throws {
        let served = try Served(dialect, connections: 1, fill: Self.fill)
        for _ in 0..<2 {
            #expect(try served.names().sorted() == Self.shown, "\(name)")
            #expect(try served.names(try remote("d")).sorted() == [".hidden", "inner"], "\(name)")
            #expect(try served.names(try remote("e")) == ["other"], "\(name)")
            #expect(try served.names(try remote("[a-c] *?")) == ["f"], "\(name)")
            #expect(try served.names(try remote("empty")) == [], "\(name)")
            for missing in ["none", "file", "d/none"] {
                #expect(throws: FTPError.self, "\(name): \(missing)") { try served.names(try remote(missing)) }
            }
            // Whatever the listings left behind, files are read as they are.
            #expect(try served.client.size(of: try remote("file"), cancellation: served.cancellation) == 5, "\(name)")
        }
    }

    @Test(arguments: [Dialect.vsftpd, .proftpd])
    func noPatternAndNoBlankIsEverAnArgumentOfLIST(_ dialect: Dialect) throws {
        let served = try Served(dialect, connections: 1, fill: Self.fill)
        _ = try served.names(try remote("[a-c] *?"))
        let listings = served.server.transcript.entries.map(\.line).filter { $0.hasPrefix("LIST") }
        #expect(listings.allSatisfy { !$0.contains("*") && !$0.contains("[") }, "\(listings)")
    }

    @Test func aNameThatDiffersInItsLettersCaseOnlyExistsIfTheServerSaysSo() throws {
        let faults = FaultPlan([
            .every("MKD", .reply(550, "Cannot create a file when that file already exists.")).whenArgument(
                contains: "D"),
            .every("MKD", .reply(550, "The parent does not exist.")).whenArgument(contains: "x"),
        ])
        let served = try Served(.vsftpd, faults: faults, fill: Self.fill)
        let store = FTPStore(served.client)
        let exists = #expect(throws: StoreError.self) {
            try store.makeDirectory(try remote("D"), cancellation: served.cancellation)
        }
        #expect(exists?.kind == .exists)
        let denied = #expect(throws: StoreError.self) {
            try store.makeDirectory(try remote("x"), cancellation: served.cancellation)
        }
        #expect(denied?.kind == .denied)
    }

    // MARK: Cut short

    @Test(arguments: [Dialect.vsftpd, .proftpd])
    func ofATruncatedListingMissingNamesAreAskedFor(_ base: Dialect) throws {
        let served = try Served(
            Self.dialect(base) { $0.listingLimit = 3 }, connections: 1,
            fill: { tree in
                tree.addMany(10, in: "", size: 7)
                tree.addDirectory("late")
            }, configure: { $0.pipelining = .off })
        let listing = try served.client.listing(of: .root, cancellation: served.cancellation)
        #expect(!listing.isComplete)
        #expect(listing.entries.count < 10)
        let file = try served.client.status(of: try remote("file000009"), cancellation: served.cancellation)
        #expect(file?.kind == .file && file?.size == 7)
        let directory = try served.client.status(of: try remote("late"), cancellation: served.cancellation)
        #expect(directory?.kind == .directory)
        #expect(try served.client.status(of: try remote("none"), cancellation: served.cancellation) == nil)
    }

    @Test(arguments: [(lines: 1_000, bytes: 1 << 30), (lines: 1 << 30, bytes: 50_000)])
    func aListingWithoutEndIsCutAndTheConnectionWorksOn(_ limit: (lines: Int, bytes: Int)) throws {
        var listingLimit = ClientConfiguration.ListingLimit()
        listingLimit.lines = limit.lines
        listingLimit.bytes = limit.bytes
        let served = try Served(.proftpd, connections: 1, listingLimit: listingLimit) { tree in
            tree.add("small/file", text: "x")
            // Far more than the sockets between hold, so that it does end in the middle.
            tree.addMany(60_000, in: "endless")
        }
        let listing = try served.client.listing(of: try remote("endless"), cancellation: served.cancellation)
        #expect(!listing.isComplete)
        #expect((100..<5_000).contains(listing.entries.count))
        #expect(try served.names(try remote("small")) == ["file"])
    }

    @Test func aSlowListingMayLastLongerThanOneWait() throws {
        // 3,000 bytes, one by one, with a wait for each that is far shorter than the whole.
        let served = try Served(
            .proftpd, faults: FaultPlan([.every("MLSD", .oneByteAtATime)]),
            timeouts: .with {
                $0.reply = .milliseconds(200)
                $0.dataIdle = .milliseconds(200)
            },
            fill: { $0.addMany(100, in: "") })
        #expect(try served.names().count == 100)
    }

    // MARK: Times

    private static let recent = Timestamp(seconds: Timestamp.now.seconds - 3 * 86_400 - 4_711)

    private static func zones(_ offset: Int64, telling local: Bool) -> Dialect {
        dialect(.vsftpd) {
            $0.says[.greeting] = "220 Some server"
            $0.zoneOffset = offset
            if local { $0.quirks.insert(.tellsLocalTime) }
        }
    }

    private func listedTime(_ served: Served, _ name: String = "recent") throws -> Int64? {
        let entries = try served.client.list(.root, cancellation: served.cancellation)
        return entries.first { $0.name.description == name }?.modified?.seconds
    }

    @Test(arguments: [0, 20_700, -12_600, -9_000, 50_400, -36_000] as [Int64])
    func theServersZoneIsFoundByOneMDTM(_ offset: Int64) throws {
        let served = try Served(Self.zones(offset, telling: false)) { tree in
            tree.add("recent", text: "x", modified: Self.recent)
            tree.add("old", text: "x", modified: Timestamp(seconds: 1_000_000_000))
        }
        for _ in 0..<3 { #expect(try listedTime(served) == Self.recent.seconds - Self.recent.seconds % 60) }
        #expect(served.server.transcript.count(of: "MDTM") == 1)
        let told = try served.client.modificationTime(of: try remote("recent"), cancellation: served.cancellation)
        #expect(told?.seconds == Self.recent.seconds)
    }

    @Test func whereNoDateLacksItsYearNothingIsAsked() throws {
        let served = try Served(Self.zones(20_700, telling: false)) { tree in
            tree.add("old", text: "x", modified: Timestamp(seconds: 1_000_000_000))
            tree.addDirectory("directory", modified: Self.recent)
        }
        _ = try served.names()
        #expect(served.server.transcript.count(of: "MDTM") == 0)
    }

    @Test func machineListingsAskNothing() throws {
        let served = try Served(.proftpd) { $0.add("recent", text: "x", modified: Self.recent) }
        #expect(try listedTime(served) == Self.recent.seconds)
        #expect(served.server.transcript.count(of: "MDTM") == 0)
    }

    @Test(arguments: [20_700, -12_600] as [Int64])
    func whereMDTMIsInTheServersZoneTooTheFirstUploadTells(_ offset: Int64) throws {
        let served = try Served(Self.zones(offset, telling: true)) {
            $0.add("recent", text: "x", modified: Self.recent)
        }
        let minute = Self.recent.seconds - Self.recent.seconds % 60
        #expect(try listedTime(served) == minute + offset)
        try served.write([1, 2, 3], to: "new")
        #expect(try listedTime(served) == minute)
        // Setting a time is as far off as telling it.
        let time = Timestamp(seconds: 1_234_567_890)
        try served.client.setModificationTime(try remote("new"), to: time, cancellation: served.cancellation)
        #expect(served.tree.attributes(of: "new")?.modified.seconds == time.seconds)
        #expect(
            try served.client.modificationTime(of: try remote("new"), cancellation: served.cancellation)?.seconds
                == time.seconds)
    }

    @Test func aVsftpdIsNotAskedWhatItCannotTell() throws {
        let served = try Served(.vsftpd) { $0.add("recent", text: "x", modified: Self.recent) }
        _ = try served.names()
        #expect(served.server.transcript.count(of: "MDTM") == 0)
    }

    @Test func aDateWithoutAYearIsNeverInTheFuture() throws {
        let now = Timestamp.now.seconds
        let served = try Served(Self.zones(50_400, telling: false)) { tree in
            for day in [0, 1, 30, 170, 181] as [Int64] {
                tree.add(
                    ServerPath("day\(day)".utf8), contents: [1], modified: Timestamp(seconds: now - day * 86_400 - 90))
            }
        }
        for entry in try served.client.list(.root, cancellation: served.cancellation) {
            let time = try #require(entry.modified?.seconds)
            #expect(time <= now, "\(entry.name)")
            #expect(time > now - 200 * 86_400, "\(entry.name)")
        }
    }
}
