import FTPProtocol
import FoundationEssentials
import Vocabulary

/// Lines of listings as real servers send them, with what they mean: `Corpus/listings.jsonl`, one record per line.
///
/// - `tier`: `must`, `should` and `legacy` (systems that are hardly seen any more) have to be understood, to a rate.
///   `ambiguous` lines can be read in more than one way, and each is right. Of `robust` it is enough that nothing is
///   invented.
/// - `lines`, or `linesBase64` where they are not UTF-8.
/// - `entries`: what the lines name, in order. Where servers leave room for opinion the alternatives are listed, and
///   `null` is an alternative like any other.
struct CorpusRecord: Decodable, Sendable {
    enum Tier: String, Decodable, Sendable { case must, should, legacy, ambiguous, robust }
    enum Format: String, Decodable, Sendable { case machine, text }

    struct Entry: Decodable, Sendable {
        let names: [String]?
        let namesBase64: [Data]?
        let kinds: [String]
        let sizes: [Int64?]?
        let times: [String?]?
        let precision: String?
        let mode: String?
        let targets: [String?]?

        var nameBytes: [[UInt8]] {
            names.map { $0.map { Array($0.utf8) } } ?? namesBase64.map { $0.map(Array.init) } ?? []
        }
    }

    let id: String
    let tier: Tier
    let format: Format
    let now: String?
    let lines: [String]?
    let linesBase64: [Data]?
    let entries: [Entry]

    var lineBytes: [[UInt8]] { lines.map { $0.map { Array($0.utf8) } } ?? linesBase64.map { $0.map(Array.init) } ?? [] }

    var listingFormat: ListingFormat {
        switch format {
        case .machine: .machine
        case .text: .text
        }
    }

    /// The moment at which the lines were sent; any, for lines whose dates have years.
    var moment: Timestamp { now.flatMap(Self.timestamp) ?? Timestamp(seconds: 1_718_452_800) }

    /// The lines as they come over the wire.
    func bytes(lineEnd: String) -> [UInt8] { lineBytes.flatMap { $0 + Array(lineEnd.utf8) } }

    /// `2024-06-10T10:10` or `2024-06-10T10:10:05`.
    static func timestamp(_ text: String) -> Timestamp? {
        TimeValue.parse(text.utf8.filter { (0x30...0x39).contains($0) })
    }

    /// All records of the file.
    static let all: [CorpusRecord] = {
        do {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus/listings.jsonl")
            return try Data(contentsOf: file).split(separator: 0x0A).map {
                try JSONDecoder().decode(CorpusRecord.self, from: $0)
            }
        } catch {
            // Seen by the test of the corpus, which expects more than 300 records.
            print("cannot read the corpus: \(error)")
            return []
        }
    }()

    static func of(_ tier: Tier) -> [CorpusRecord] { all.filter { $0.tier == tier } }
}

extension CorpusRecord {
    var parser: ListingParser { ListingParser(format: listingFormat, now: moment) }

    func parse(lineEnd: String = "\r\n") -> Listing {
        var parser = parser
        parser.consume(bytes(lineEnd: lineEnd))
        return parser.finish()
    }

    /// What is wrong with a listing of these lines; empty when it says what the record says.
    func differences(_ listing: Listing) -> [String] {
        guard listing.entries.count == entries.count else {
            return ["\(listing.entries.count) entries for \(entries.count): \(listing.entries.map(\.name))"]
        }
        return zip(listing.entries, entries).flatMap { $1.differences($0) }
    }

    /// Names that are not in the lines' meaning.
    func inventedNames(_ listing: Listing) -> [FileName] {
        let known = Set(entries.flatMap(\.nameBytes))
        return listing.entries.map(\.name).filter { !known.contains($0.bytes) }
    }
}

extension CorpusRecord.Entry {
    func differences(_ entry: ListingEntry) -> [String] {
        var result: [String] = []
        func expect(_ condition: Bool, _ what: String) {
            if !condition { result.append("\(entry.name): \(what)") }
        }
        expect(nameBytes.contains(entry.name.bytes), "name")
        expect(kinds.contains("\(entry.kind)"), "kind \(entry.kind)")
        if let sizes { expect(sizes.contains(entry.size), "size \(String(describing: entry.size))") }
        if let mode { expect(entry.mode == UInt32(mode, radix: 8), "mode \(String(describing: entry.mode))") }
        if kinds == ["file"], mode == nil { expect(entry.mode == nil, "a mode") }
        if let times {
            let seconds = times.map { $0.flatMap(CorpusRecord.timestamp)?.seconds }
            expect(seconds.contains(entry.modified?.seconds), "time \(String(describing: entry.modified))")
        }
        if let precision, entry.modified != nil { expect("\(entry.precision)" == precision, "precision") }
        if let targets, entry.kind == .symbolicLink {
            expect(targets.map { $0.map { Array($0.utf8) } }.contains(entry.linkTarget), "target")
        }
        return result
    }
}
