import FTPProtocol
import Testing
import Vocabulary

/// The corpus of real lines: how much of it is understood.
@Suite struct ListingCorpusTests {
    /// Of the ambiguous ones, the line in which a group runs into the month (`incomingFeb  8`) is left out.
    @Test(arguments: [(CorpusRecord.Tier.must, 1), (.should, 0.95), (.legacy, 0.95), (.ambiguous, 0.85)])
    func understandsRealListings(tier: CorpusRecord.Tier, rate: Double) {
        // Given all records of the tier,
        let records = CorpusRecord.of(tier)
        #expect(!records.isEmpty)

        // when each is parsed,
        let failures = records.compactMap { record in
            let differences = record.differences(record.parse())
            return differences.isEmpty ? nil : "\(record.id): \(differences.joined(separator: "; "))"
        }

        // then nearly all say what their servers meant.
        let passed = records.count - failures.count
        print("corpus \(tier): \(passed) of \(records.count)", failures.map { "\n  \($0)" }.joined())
        #expect(Double(passed) >= Double(records.count) * rate, "\(failures)")
    }

    /// The comparison itself: each thing that a record says is looked at.
    @Test func noticesEveryDifference() throws {
        let record = try #require(CorpusRecord.all.first { $0.id == "cn-mlsx-03" })
        let good = record.parse()
        #expect(record.differences(good).isEmpty)
        let entry = try #require(good.entries.first)
        let changes: [(inout ListingEntry) -> Void] = [
            { $0.name = (try? FileName(validating: "x")) ?? $0.name }, { $0.kind = .file }, { $0.mode = 0o700 },
            { $0.mode = nil }, { $0.modified?.seconds += 1 }, { $0.modified = nil }, { $0.precision = .day },
        ]
        for change in changes {
            var changed = entry
            change(&changed)
            #expect(!record.entries[0].differences(changed).isEmpty, "\(changed)")
        }
        #expect(!record.differences(Listing()).isEmpty)
        let file = try #require(CorpusRecord.all.first { $0.id == "x-int63" })
        var smaller = try #require(file.parse().entries.first)
        smaller.size = 1
        #expect(!file.entries[0].differences(smaller).isEmpty)
        let link = try #require(CorpusRecord.all.first { $0.id == "jl-04" })
        var elsewhere = try #require(link.parse().entries.first)
        elsewhere.linkTarget = nil
        #expect(!link.entries[0].differences(elsewhere).isEmpty)
    }

    @Test func inventsNoNameForBrokenLines() {
        let records = CorpusRecord.of(.robust)
        #expect(records.count > 20)
        let others = records.filter { !$0.differences($0.parse()).isEmpty }
        print("corpus robust: \(records.count - others.count) of \(records.count)", others.map(\.id))
        for record in records {
            #expect(record.inventedNames(record.parse()).isEmpty, "\(record.id)")
        }
    }

    @Test(arguments: CorpusRecord.all)
    func lineEndsDoNotMatter(record: CorpusRecord) {
        let expected = record.parse().entries
        #expect(record.parse(lineEnd: "\n").entries == expected)
        #expect(record.parse(lineEnd: "\r\r\n").entries == expected)
    }

    @Test func piecesDoNotMatter() {
        for record in CorpusRecord.all {
            let bytes = record.bytes(lineEnd: "\r\n")
            let expected = record.parse().entries
            for boundary in bytes.indices {
                var parser = record.parser
                parser.consume(Array(bytes[..<boundary]))
                parser.consume(Array(bytes[boundary...]))
                if parser.finish().entries != expected { Issue.record("\(record.id) cut at \(boundary)") }
            }
            var parser = record.parser
            for byte in bytes.dropLast(2) { parser.consume([byte]) }
            #expect(parser.finish().entries == expected, "\(record.id) byte by byte, without the last line end")
        }
    }
}
