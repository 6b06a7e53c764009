/// The offsets from UTC that a zone has had and will have, as the time zone database knows them.
///
/// `localtime_r(3)` knows only the zone of the whole process, and `TZ` cannot be changed while other threads run. The
/// files that it reads are simple, so they are read here (RFC 8536):
///
///     file   = header block-32  [ header block-64 LF posix-tz LF ]
///     header = "TZif" version 15*reserved isutcnt isstdcnt leapcnt timecnt typecnt charcnt      ; six times 4 bytes
///     block  = times types-of-times local-types names leap-seconds is-std is-ut
///
/// The block of 64 bits is used where there is one, and the rule in the last line for all times behind the last one in
/// it. Leap seconds are not counted, as everywhere in POSIX.
package struct ZoneRules: Hashable, Sendable {
    /// When each offset begins, in seconds since the epoch, in order.
    private var beginnings: [Int64] = []
    /// The offsets that begin then, in seconds east of UTC.
    private var offsets: [Int64] = []
    /// The offset before the first beginning.
    private var first: Int64 = 0
    /// What holds behind the last beginning.
    private var recurring: RecurringZone?

    /// The largest file that is read, in bytes: those of the database have 4 KB at most.
    package static let maximumFileSize = 64 * 1024

    /// Reads a file of the time zone database.
    ///
    /// - Returns: `nil` when it is not one, or is damaged.
    package init?(parsing file: [UInt8]) {
        guard file.count <= Self.maximumFileSize, let small = Header(file[...]) else { return nil }
        var rest = file[small.end...]
        var header = small
        var width = 4
        if small.version >= 0x32 {
            rest = rest.dropFirst(small.length(ofBlockWith: 4))
            guard let large = Header(rest) else { return nil }
            header = large
            width = 8
            rest = file[large.end...]
        }
        guard header.types > 0, rest.count >= header.length(ofBlockWith: width) else { return nil }
        let block = rest.prefix(header.length(ofBlockWith: width))
        guard read(block, header, width) else { return nil }
        if width == 8 {
            let footer = rest.dropFirst(block.count).drop { $0 == ASCII.lineFeed }.prefix { $0 != ASCII.lineFeed }
            recurring = RecurringZone(parsing: footer)
        }
    }

    /// The offset at a moment, in seconds east of UTC.
    package func offset(at moment: Int64) -> Int64 {
        guard let last = beginnings.last, moment < last else {
            return recurring?.offset(at: moment) ?? offsets.last ?? first
        }
        // The first beginning behind the moment.
        var (low, high) = (0, beginnings.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if beginnings[middle] > moment { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? first : offsets[low - 1]
    }

    /// The offset of a local time, in seconds east of UTC.
    ///
    /// A time that occurs twice, when clocks are set back, is the first of the two. One that does not occur is taken
    /// with the offset before the gap.
    package func offset(atLocal time: Int64) -> Int64 {
        // No offset is larger than a day, so these are the ones before and after any change that is near.
        let before = offset(at: time &- 86_400)
        let after = offset(at: time &+ 86_400)
        for candidate in [before, after] where offset(at: time &- candidate) == candidate { return candidate }
        return before
    }

    private mutating func read(_ block: ArraySlice<UInt8>, _ header: Header, _ width: Int) -> Bool {
        let times = block.prefix(header.times * width)
        let indices = block.dropFirst(times.count).prefix(header.times)
        let types = block.dropFirst(times.count + indices.count).prefix(header.types * Header.typeLength)
        let known = stride(from: types.startIndex, to: types.endIndex, by: Header.typeLength).map {
            types[$0..<($0 + 4)].bigEndian
        }
        guard known.allSatisfy({ abs($0) <= 86_400 }), let standard = known.first else { return false }
        first = standard
        for (place, index) in indices.enumerated() {
            guard Int(index) < known.count else { return false }
            let start = times.startIndex + place * width
            let moment = times[start..<(start + width)].bigEndian
            guard beginnings.last.map({ $0 < moment }) ?? true else { return false }
            beginnings.append(moment)
            offsets.append(known[Int(index)])
        }
        return true
    }
}

/// The head of a block.
private struct Header {
    /// `0`, or the digit of the version.
    let version: UInt8
    let times: Int
    let types: Int
    /// Where it ends in the file.
    let end: Int
    private let characters: Int
    private let leapSeconds: Int
    private let standardMarks: Int
    private let universalMarks: Int

    /// Offset, whether it is daylight saving time, and where its name is.
    static let typeLength = 6

    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 44, bytes.starts(with: "TZif".utf8) else { return nil }
        version = bytes[bytes.startIndex + 4]
        end = bytes.startIndex + 44
        let counts = (0..<6).map { number in
            let start = bytes.startIndex + 20 + number * 4
            return Int(bytes[start..<(start + 4)].bigEndian)
        }
        // Nothing that fits the largest file has more of anything; the sums below cannot overflow.
        guard counts.allSatisfy({ (0...ZoneRules.maximumFileSize).contains($0) }) else { return nil }
        universalMarks = counts[0]
        standardMarks = counts[1]
        leapSeconds = counts[2]
        times = counts[3]
        types = counts[4]
        characters = counts[5]
    }

    func length(ofBlockWith width: Int) -> Int {
        times * (width + 1) + types * Self.typeLength + characters + leapSeconds * (width + 4) + standardMarks
            + universalMarks
    }
}

extension ArraySlice<UInt8> {
    /// A signed number of four or eight bytes, the highest first.
    fileprivate var bigEndian: Int64 {
        let bits = reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return count == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
    }
}
