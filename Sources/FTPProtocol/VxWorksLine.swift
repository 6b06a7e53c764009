import Vocabulary

/// A line of VxWorks: the size, the date, the time, the name, and a mark behind directories.
///
///       size          date       time       name
///     --------       ------     ------    --------
///         2048    Feb-28-1998  05:23:30   FLASH         <DIR>
enum VxWorksLine {
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let first = words.next() else { return .nothing }
        if first.equalsIgnoringCase("size"), words.next()?.equalsIgnoringCase("date") ?? false { return .header }
        if first.allSatisfy({ $0 == ASCII.minus }), words.rest.allSatisfy({ $0 == ASCII.minus || ASCII.isBlank($0) }) {
            return .nothing
        }
        guard let size = first.decimal, let date = words.next().flatMap(DashedDate.parse),
            let time = words.next().flatMap(ClockTime.init)
        else { return .notMine }
        let rest = words.rest.trimmed
        let isDirectory = rest.suffix(5).equalsIgnoringCase("<dir>")
        return .entry(
            name: isDirectory ? rest.dropLast(5).trimmed : rest, kind: isDirectory ? .directory : .file, size: size,
            modified: time.on(date), precision: time.precision, isLocalTime: true)
    }
}
