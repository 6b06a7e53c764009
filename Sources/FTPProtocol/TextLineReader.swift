import Vocabulary

/// Reads the lines of one text format, and joins the entries that take two lines.
struct TextLineReader {
    let format: TextFormat
    let now: Timestamp
    /// The first line of an entry whose second one has not come.
    private(set) var held: [UInt8]?

    init(_ format: TextFormat, now: Timestamp) {
        self.format = format
        self.now = now
    }

    /// What the next line is, and the held line that it turned out not to belong to.
    mutating func read(_ line: ArraySlice<UInt8>) -> (reading: LineReading, abandoned: [UInt8]?) {
        var abandoned: [UInt8]?
        if let first = held {
            held = nil
            let joined = format.read((first + [ASCII.blank] + line)[...], now: now)
            switch joined {
            case .entry, .itself: return (joined, nil)
            case .currentDirectory, .header, .nothing, .incomplete, .broken, .notMine: abandoned = first
            }
        }
        let reading = format.read(line, now: now)
        switch reading {
        case .incomplete:
            held = Array(line)
            return (.nothing, abandoned)
        case .notMine:
            return (HeaderLine.read(line), abandoned)
        case .entry, .currentDirectory, .itself, .header, .nothing, .broken:
            return (reading, abandoned)
        }
    }
}
