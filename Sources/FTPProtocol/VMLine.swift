import Vocabulary

/// A line of IBM z/VM: the name and the type, the record format and length, records, blocks, the date and the time, the disk.
///
///     PROFILE  EXEC     V         30          3          1 1999-05-18 13:53:13 TCPMAIN
///     CARDS    DATA     F         80         12          1 1999-07-28 12:24:01 TCM191
///     WORK     DIR      -          -          -          - 1999-05-18 13:53:13 -
///
/// A path has the name and the type with a period between them. The size is exact where records have a fixed length.
enum VMLine {
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let name = words.next(), let type = words.next(), isOfName(name), isOfName(type),
            let format = words.next(), let length = words.next(), let records = words.next(),
            let blocks = words.next(), let dateWord = words.next(),
            let date = NumericDate(dateWord, years: .short), let time = words.next().flatMap(ClockTime.init)
        else { return .notMine }
        // A disk, or nothing; then the line ends.
        if words.next() != nil, words.next() != nil { return .notMine }
        let isDirectory = type.equalsIgnoringCase("dir") && [format, length, records, blocks].allSatisfy(isDash)
        var size: Int64?
        if !isDirectory {
            guard let length = length.decimal, let records = records.decimal, blocks.decimal != nil else {
                return .notMine
            }
            if format.equalsIgnoringCase("f") {
                let (product, overflowed) = length.multipliedReportingOverflow(by: records)
                size = overflowed ? nil : product
            } else if !format.equalsIgnoringCase("v") {
                return .notMine
            }
        }
        return .entry(
            name: isDirectory ? name : (name + [ASCII.period] + type)[...], kind: isDirectory ? .directory : .file,
            size: size, modified: time.on(date.civil), precision: time.precision, isLocalTime: true, date: date)
    }

    private static func isDash(_ word: ArraySlice<UInt8>) -> Bool { word.count == 1 && word.first == ASCII.minus }

    /// Whether a word can be a name or a type: up to eight bytes without those that separate.
    private static func isOfName(_ word: ArraySlice<UInt8>) -> Bool {
        word.count <= 8 && !word.contains { $0 == ASCII.period || $0 == ASCII.slash || $0 == ASCII.colon }
    }
}
