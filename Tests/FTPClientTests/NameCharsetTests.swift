import EmbeddedFTPServer
import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Names in the character set of a server: what is shown, what is sent, and that no name is lost.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct NameCharsetTests {
    private static func charset(_ name: String) throws -> NameCharset {
        try #require(try NameCharset.named(name))
    }

    // MARK: Conversion

    @Test(
        arguments: [
            ("KOI8-R", "Ъ.txt", [0xFF, 0x2E, 0x74, 0x78, 0x74]),
            ("koi8-r", "тест", [0xD4, 0xC5, 0xD3, 0xD4]),
            // Second bytes that are `\`, `|`, `[` and `{` in ASCII.
            ("GBK", "乗", [0x81, 0x5C]),
            ("GBK", "中文", [0xD6, 0xD0, 0xCE, 0xC4]),
            ("SHIFT_JIS", "表", [0x95, 0x5C]),
            ("SHIFT_JIS", "ソ|ゼ", [0x83, 0x5C, 0x7C, 0x83, 0x5B]),
            ("SHIFT_JIS", "a\\b~c", [0x61, 0x5C, 0x62, 0x7E, 0x63]),
            ("SHIFT_JIS", "ｱ", [0xB1]),
            ("BIG5", "功", [0xA5, 0x5C]),
            ("GB18030", "ê", [0xA8, 0xBA]),
            // Four bytes, two of them digits of ASCII.
            ("GB18030", "ã", [0x81, 0x30, 0x8A, 0x30]),
            ("CP1252", "Größe €", [0x47, 0x72, 0xF6, 0xDF, 0x65, 0x20, 0x80]),
            ("EUC-JP", "日本", [0xC6, 0xFC, 0xCB, 0xDC]),
            ("CP1251", "a/ж", [0x61, 0x2F, 0xE6]),
        ] as [(String, String, [UInt8])])
    func namesGoBothWays(_ set: String, _ local: String, _ wire: [UInt8]) throws {
        let charset = try Self.charset(set)
        #expect(charset.wire(Array(local.utf8)) == wire)
        #expect(charset.local(wire) == Array(local.utf8))
    }

    @Test(arguments: [
        "KOI8-R", "GBK", "SHIFT_JIS", "CP932", "BIG5", "BIG5-HKSCS", "EUC-JP", "GB18030", "CP1258", "ASCII",
    ])
    func everyRunOfBytesComesBackAndNoTwoBecomeOne(_ set: String) throws {
        let charset = try Self.charset(set)
        var seen: [[UInt8]: [UInt8]] = [:]
        var names = (0x80...0xFF).map { [UInt8($0)] }
        for first in stride(from: 0x80, through: 0xFF, by: 1) {
            for second in stride(from: 0x30, through: 0xFF, by: 3) { names.append([UInt8(first), UInt8(second)]) }
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            names.append((0..<7).map { _ in UInt8.random(in: 0x30...0xFF, using: &random) })
        }
        for wire in names {
            let local = charset.local(wire)
            #expect(String(validating: local, as: UTF8.self) != nil, "\(wire)")
            #expect(charset.wire(local) == wire, "\(wire) → \(local)")
            if let other = seen[local] { #expect(other == wire) }
            seen[local] = wire
        }
    }

    @Test func aByteThatIsNoCharacterIsShownAsOneOfPrivateUse() throws {
        let charset = try Self.charset("SHIFT_JIS")
        // A first byte without a second one.
        #expect(charset.local([0x61, 0x95, 0x2E]) == Array("a\u{EF95}.".utf8))
        #expect(charset.wire(Array("a\u{EF95}.".utf8)) == [0x61, 0x95, 0x2E])
    }

    @Test(
        arguments: [
            ("KOI8-R", Array("中".utf8)), ("GBK", Array("é\u{301}ß™😀".utf8)), ("KOI8-R", [0x61, 0xFF]),
            // Two bytes in disguise that would come back as the character that they make.
            ("SHIFT_JIS", Array("\u{EF95}\\".utf8)), ("KOI8-R", Array("\u{EFD4}".utf8)),
            // The Yen sign would come back as a backslash.
            ("SHIFT_JIS", Array("¥".utf8)),
            // ế in one piece would come back in two.
            ("CP1258", Array("\u{1EBF}".utf8)),
        ] as [(String, [UInt8])])
    func whatWouldNotComeBackIsNotSent(_ set: String, _ local: [UInt8]) throws {
        #expect(try Self.charset(set).wire(local) == nil)
    }

    @Test(arguments: ["UTF-8", "utf8", "UTF_8"])
    func inUTF8NothingIsConverted(_ name: String) throws {
        #expect(try NameCharset.named(name) == nil)
    }

    @Test(
        arguments: [
            ("KLINGON", .unknown), ("", .unknown), ("GBK//IGNORE", .unknown), ("GBK//TRANSLIT", .unknown),
            ("a\u{0}b", .unknown), (String(repeating: "X", count: 100), .unknown), ("ISO-2022-JP", .notOnTopOfASCII),
            ("UTF-16", .notOnTopOfASCII), ("UTF-7", .notOnTopOfASCII), ("IBM037", .notOnTopOfASCII),
        ] as [(String, NameCharset.Unusable)])
    func whatIsNoSetToUseIsRefused(_ name: String, _ reason: NameCharset.Unusable) {
        #expect(throws: reason) { try NameCharset.named(name) }
    }

    @Test func manyThreadsConvertAtOnce() throws {
        let charset = try Self.charset("GBK")
        let threads = try (0..<4).map { number in
            try Pending { () throws -> Bool in
                let text = Array("中文\(number)乗".utf8)
                return (0..<2000).allSatisfy { _ in charset.wire(text).map { charset.local($0) } == text }
            }
        }
        for thread in threads { #expect(try thread.value()) }
    }

    // MARK: On the wire

    private static func served(_ set: String, _ dialect: Dialect, fill: (MemoryTree) -> Void = { _ in }) throws
        -> Served
    {
        let charset = try charset(set)
        return try Served(dialect, fill: fill, configure: { $0.charset = charset })
    }

    @Test(arguments: [Dialect.vsftpd, .proftpd, .filezilla, .iis, .minimal])
    func everythingThatIsDoneWithANameIsDoneInTheServersSet(_ dialect: Dialect) throws {
        let directory: [UInt8] = [0x95, 0x5C]
        let file: [UInt8] = [0x83, 0x5C, 0x2E, 0x74]
        let served = try Self.served("SHIFT_JIS", dialect) { tree in
            tree.add(ServerPath(components: [directory, file]), contents: [1, 2, 3])
            tree.addLink(ServerPath(components: [directory, [0x6C]]), target: "x")
            tree.add(ServerPath(components: [directory, [0x95]]), contents: [])
        }
        let local = try remote("表")
        let listed = try served.client.list(local, cancellation: served.cancellation).map(\.name.description).sorted()
        #expect(listed == ["l", "ソ.t", printable(Array("\u{EF95}".utf8))].sorted())
        let old = local.appending(try FileName(validating: "ソ.t"))
        let new = local.appending(try FileName(validating: "十.t"))
        #expect(try served.client.status(of: old, cancellation: served.cancellation)?.size == 3)
        try served.client.rename(old, to: new, cancellation: served.cancellation)
        #expect(served.tree.exists(ServerPath(components: [directory, [0x8F, 0x5C, 0x2E, 0x74]])))
        #expect(!served.tree.exists(ServerPath(components: [directory, file])))
        try served.client.makeDirectory(try remote("表/貼"), cancellation: served.cancellation)
        #expect(served.tree.exists(ServerPath(components: [directory, [0x93, 0x5C]])))
        try served.client.removeDirectory(try remote("表/貼"), cancellation: served.cancellation)
        try served.client.removeFile(new, cancellation: served.cancellation)
        try served.client.removeFile(
            local.appending(try FileName(validating: "\u{EF95}")), cancellation: served.cancellation)
        #expect(try served.names(local) == ["l"])
    }

    @Test func theDirectoryThatIsMountedIsEnteredInTheServersSet() throws {
        let charset = try Self.charset("SHIFT_JIS")
        let base = ClientConfiguration.Base.relativeToLogin([try FileName(validating: "表")])
        let served = try Served(
            .vsftpd, base: base,
            fill: { $0.add(ServerPath(components: [[0x95, 0x5C], [0x83, 0x5C]]), contents: [1]) },
            configure: { $0.charset = charset })
        #expect(try served.names() == ["ソ"])
        // Below what the server itself calls its directory, which is in its own set already.
        try served.client.removeFile(try remote("ソ"), cancellation: served.cancellation)
        #expect(served.tree.names(in: ServerPath(components: [[0x95, 0x5C]])).isEmpty)
    }

    @Test func aNameThatCanNeverBeIsKnownWithoutAskingTheServer() throws {
        let koi8 = try Self.served("KOI8-R", .proftpd)
        let pure = try Served(.pureftpd)
        _ = try pure.names()
        for (client, name) in [(koi8.client, "中"), (pure.client, "a\\b"), (pure.client, "a ")] {
            #expect(throws: FTPError.self) { try client.check(newName: try FileName(validating: name)) }
            try client.check(newName: try FileName(validating: "ж"))
        }
        withExtendedLifetime((koi8, pure)) {}
    }

    @Test func whereALinkLeadsIsConvertedToo() throws {
        var dialect = Dialect.pureftpd
        dialect.lacks.remove("SITE SYMLINK")
        dialect.says[.siteHelp] = "214 CHMOD SYMLINK"
        let served = try Self.served("KOI8-R", dialect)
        try served.client.makeSymbolicLink(
            try remote("link"), target: Array("те".utf8), cancellation: served.cancellation)
        #expect(try served.client.list(.root, cancellation: served.cancellation).first?.linkTarget == Array("те".utf8))
        let sent = served.server.transcript.entries.first { $0.verb == "SITE" && $0.argument?.first == 0x53 }
        #expect(sent?.argument == Array("SYMLINK ".utf8) + [0xD4, 0xC5] + Array(" /link".utf8))
    }

    @Test func aNameThatTheSetDoesNotHaveIsRefusedAndNotSent() throws {
        let served = try Self.served("KOI8-R", .proftpd)
        let error = #expect(throws: FTPError.self) {
            try served.client.makeDirectory(try remote("中"), cancellation: served.cancellation)
        }
        guard case .invalidArgument? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(served.server.transcript.count(of: "MKD") == 0)
    }

    @Test func whoNamesAnotherSetTurnsUTF8OffAndNeverOn() throws {
        let served = try Self.served("GBK", .proftpd)
        _ = try served.names()
        let options = served.server.transcript.entries.map(\.line).filter { $0.hasPrefix("OPTS UTF8") }
        #expect(options == ["OPTS UTF8 OFF"])
    }

    @Test(arguments: [UInt16(200), 202, 500, 501, 502, 504])
    func whateverIsSaidToUTF8DoesNoHarm(_ code: UInt16) throws {
        var dialect = Dialect.filezilla
        dialect.says[.greeting] = "220 Hello"
        let served = try Served(
            dialect, faults: FaultPlan([.every("OPTS", .reply(code, "No")), .every("CLNT", .reply(500, "?"))])
        ) {
            $0.add("f", text: "x")
        }
        #expect(try served.names() == ["f"])
        #expect(Array(served.server.transcript.verbs.prefix(5)) == ["USER", "PASS", "FEAT", "CLNT", "OPTS"])
    }

    @Test(arguments: [true, false])
    func whetherTELNETsByteIsDoubledCanBeSaid(_ isDoubled: Bool) throws {
        let name = try FileName(validating: [0x61, 0xFF])
        // One that doubles, whose greeting and features say nothing of it; and one that looks as if it did.
        var dialect = isDoubled ? Dialect.minimal : .proftpd
        if isDoubled { dialect.quirks.insert(.halvesIAC) } else { dialect.quirks.remove(.halvesIAC) }
        let served = try Served(dialect, configure: { $0.telnetEscape = isDoubled })
        try served.client.makeDirectory(RemotePath([name]), cancellation: served.cancellation)
        #expect(served.tree.exists(ServerPath(components: [name.bytes])))
        #expect(try served.client.list(.root, cancellation: served.cancellation).map(\.name) == [name])
    }
}
