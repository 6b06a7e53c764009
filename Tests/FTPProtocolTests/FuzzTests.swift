import FTPProtocol
import FoundationEssentials
import Testing
import Vocabulary

/// Nothing that a server can send makes a parser crash, and no name comes out that was not in the bytes.
///
/// Each run takes another seed and prints it; the environment variable `FTPFS_FUZZ_SEED` repeats one.
@Suite struct FuzzTests {
    private static let seed: UInt64 = {
        var system = SystemRandomNumberGenerator()
        let given = ProcessInfo.processInfo.environment["FTPFS_FUZZ_SEED"].flatMap { UInt64($0) }
        let seed = given ?? system.next()
        print("fuzz seed \(seed)")
        return seed
    }()

    /// Bytes that mean something to one of the parsers, so that random ones get further.
    private static let pieces: [[UInt8]] =
        [
            " ", "  ", "\t", "\r", "\n", "\r\n", "\0", "-", "--", ".", "..", "/", ":", ";", "=", ",", "(", ")", "|",
            "|||", "\"",
            "\"\"", "->", " -> ", "0", "1", "12", "2024", "24:00", "10:11", "10:11:12", "+0100", "Jan", "Feb 29", "Mär",
            "5月",
            "220 ", "220-", "211-", "99999999999999999999", "9223372036854775807", "-1", "type=", "type=file;",
            "type=OS.unix=slink:", "size=", "modify=", "20240610101112", "unix.mode=", "drwxr-xr-x",
            "-rw-r--r-- 1 a b ",
            "06-10-24  02:05PM  ", "<DIR>", "<JUNCTION>", "[C:\\x]", "total 5", "Entering (127,0,0,1,4,5)", "\u{202E}",
            "ü",
        ].map { Array($0.utf8) } + [[0xFF], [0x80], [0xC0], [0xE4], [0xF4, 0x90]]

    private static func randomBytes(_ random: inout SplitMix64) -> [UInt8] {
        var result: [UInt8] = []
        for _ in 0..<Int.random(in: 0...24, using: &random) {
            if Bool.random(using: &random) {
                result += pieces[Int.random(in: pieces.indices, using: &random)]
            } else {
                result.append(UInt8.random(in: 0...255, using: &random))
            }
        }
        return result
    }

    /// The bytes with a few of them changed, taken out, doubled, or replaced by a piece.
    private static func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !result.isEmpty else { break }
            let start = Int.random(in: result.indices, using: &random)
            let end = min(result.count, start + Int.random(in: 1...8, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: result[start] = UInt8.random(in: 0...255, using: &random)
            case 1: result[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: result.removeSubrange(start..<end)
            case 3: result.insert(contentsOf: result[start..<end], at: start)
            default: result.insert(contentsOf: pieces[Int.random(in: pieces.indices, using: &random)], at: start)
            }
        }
        return result
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= bytes.count else { return false }
        return (0...(bytes.count - part.count)).contains { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }

    /// What must hold for any bytes as a listing.
    private static func check(_ wire: [UInt8], _ random: inout SplitMix64) {
        for format in [ListingFormat.machine, .text] {
            let now = Timestamp(seconds: Int64.random(in: .min ... .max, using: &random))
            var whole = ListingParser(format: format, now: now)
            whole.consume(wire)
            let listing = whole.finish()

            var inPieces = ListingParser(format: format, now: now)
            var position = 0
            while position < wire.count {
                let end = min(wire.count, position + Int.random(in: 1...7, using: &random))
                inPieces.consume(Array(wire[position..<end]))
                position = end
            }
            let again = inPieces.finish()
            if again.entries != listing.entries || again.skipped != listing.skipped {
                Issue.record("seed \(seed): pieces matter for \(wire)")
            }
            if Set(listing.entries.map(\.name)).count != listing.entries.count {
                Issue.record("seed \(seed): a name twice in \(wire)")
            }
            for entry in listing.entries {
                let name = entry.name.bytes
                if (try? FileName(validating: name)) == nil || !contains(wire, name) || (entry.size ?? 0) < 0
                    || (entry.mode ?? 0) > 0o7777 || (entry.linkTarget?.contains(0x0A) ?? false)
                {
                    Issue.record("seed \(seed): \(entry) from \(wire)")
                }
            }
        }
    }

    @Test func randomListings() {
        var random = SplitMix64(state: Self.seed)
        for _ in 0..<10_000 { Self.check(Self.randomBytes(&random), &random) }
    }

    @Test func mutatedListings() {
        var random = SplitMix64(state: Self.seed)
        let lines = CorpusRecord.all.flatMap(\.lineBytes)
        for _ in 0..<20 {
            for line in lines { Self.check(Self.mutated(line, &random) + [0x0D, 0x0A], &random) }
        }
    }

    @Test func replies() {
        var random = SplitMix64(state: Self.seed)
        let good = bytes(
            "220-Welcome\r\n inner\r\n220 ready\r\n331 password\r\n211-Features\r\n MLST size*;\r\n211 End\r\n")
        for round in 0..<10_000 {
            let wire = round.isMultiple(of: 2) ? Self.randomBytes(&random) : Self.mutated(good, &random)
            var whole = ReplyParser()
            let failure = Self.feed(&whole, wire)
            var inPieces = ReplyParser()
            var failureInPieces: ReplyParser.Violation?
            for byte in wire where failureInPieces == nil { failureInPieces = Self.feed(&inPieces, [byte]) }
            if failure != failureInPieces { Issue.record("seed \(Self.seed): \(wire)") }
            while let reply = whole.next() {
                if reply != inPieces.next() { Issue.record("seed \(Self.seed): pieces matter for \(wire)") }
                if !(100...599).contains(reply.code) || reply.lines.isEmpty {
                    Issue.record("seed \(Self.seed): \(reply)")
                }
                _ = Features(parsing: reply).mlstFacts
                _ = FactLine(parsing: reply)
            }
            if inPieces.next() != nil { Issue.record("seed \(Self.seed): pieces matter for \(wire)") }
        }
    }

    private static func feed(_ parser: inout ReplyParser, _ wire: [UInt8]) -> ReplyParser.Violation? {
        do throws(ReplyParser.Violation) {
            try parser.consume(wire)
            return nil
        } catch {
            return error
        }
    }

    @Test func texts() {
        var random = SplitMix64(state: Self.seed)
        let good = [
            "Entering Extended Passive Mode (|||6446|)", "Entering Passive Mode (127,0,0,1,4,5).", "\"/a\"\"b\" is",
            "20240610101112.5", "data connection (1024 bytes)",
        ].map(bytes)
        for round in 0..<20_000 {
            let text =
                round.isMultiple(of: 2)
                ? Self.randomBytes(&random) : Self.mutated(good[round / 2 % good.count], &random)
            if PassiveReply.parseExtended(text) == 0 { Issue.record("seed \(Self.seed): port 0 from \(text)") }
            if let found = PassiveReply.parse(text), found.port == 0 || found.address.count != 4 {
                Issue.record("seed \(Self.seed): \(found) from \(text)")
            }
            if let path = WorkingDirectoryReply.parse(text), path.isEmpty || path.contains(0x0A) || path.contains(0x0D)
            {
                Issue.record("seed \(Self.seed): \(path) from \(text)")
            }
            if let size = SizeReply.parse(text), size < 0 { Issue.record("seed \(Self.seed): \(size) from \(text)") }
            if let size = TransferReply.parseSize(text), size < 0 {
                Issue.record("seed \(Self.seed): \(size) from \(text)")
            }
            if let time = TimeValue.parse(text), let written = TimeValue.format(time) {
                // What is written is read as the same second.
                if TimeValue.parse(bytes(written))?.seconds != time.seconds {
                    Issue.record("seed \(Self.seed): \(text)")
                }
            }
            _ = ModificationTimeReply.parse(text)
        }
    }
}
