import Vocabulary

/// Finds out which format a listing has, from its first lines.
///
/// The lines wait until there are enough of them, or no more come. Then each format reads all of them, and the one with
/// most entries has it; of several with as many, the one that leaves fewer lines out; then the one that the server had
/// before; then the more common one. So neither a message in front nor a line that happens to look like another format
/// decides. A format that leaves nothing out ends the search.
struct FormatChoice {
    /// How many lines are looked at: enough to outvote what some servers print in front of a listing.
    private static let sampleLineCount = 32
    /// How many bytes are looked at: four of the longest lines. What comes without an entry in it is left out.
    private static let sampleLength = 64 * 1024

    private let preferred: TextFormat?
    private let now: Timestamp
    private var bytes: [UInt8] = []
    /// Where each line ends in ``bytes``.
    private var ends: [Int] = []

    init(preferring preferred: TextFormat?, now: Timestamp) {
        self.preferred = preferred
        self.now = now
    }

    /// Adds a line, which may be empty.
    mutating func add(_ line: ArraySlice<UInt8>) {
        bytes += line
        ends.append(bytes.count)
    }

    /// Whether no more lines are needed.
    var isFull: Bool { ends.count >= Self.sampleLineCount || bytes.count >= Self.sampleLength }

    /// The lines, which are forgotten here.
    mutating func takeLines() -> [ArraySlice<UInt8>] {
        let lines = self.lines
        bytes = []
        ends = []
        return lines
    }

    /// The format of the lines; `nil` when no format finds an entry in them.
    var format: TextFormat? {
        var candidates = TextFormat.allCases
        if let preferred { candidates.insert(preferred, at: 0) }
        var best: (format: TextFormat, score: Score)?
        for candidate in candidates {
            let score = score(of: candidate)
            guard score.entries > 0, score.isBetter(than: best?.score) else { continue }
            if score.leftOut == 0 { return candidate }
            best = (candidate, score)
        }
        return best?.format
    }

    private struct Score {
        var entries = 0
        var leftOut = 0

        func isBetter(than other: Score?) -> Bool {
            guard let other else { return true }
            return entries == other.entries ? leftOut < other.leftOut : entries > other.entries
        }
    }

    private var lines: [ArraySlice<UInt8>] {
        zip([0] + ends, ends).map { bytes[$0..<$1] }
    }

    private func score(of format: TextFormat) -> Score {
        var score = Score()
        var reader = TextLineReader(format, now: now)
        for line in lines where !line.isEmpty {
            let (reading, abandoned) = reader.read(line)
            if abandoned != nil { score.leftOut += 1 }
            switch reading {
            case .entry(let entry): score.entries += entry.isEvidence ? 1 : 0
            // As good as an entry, and all that an empty directory shows.
            case .header, .itself: score.entries += 1
            case .currentDirectory, .nothing: break
            case .incomplete, .broken, .notMine: score.leftOut += 1
            }
        }
        if reader.held != nil { score.leftOut += 1 }
        return score
    }
}
