/// How the changes of a file get to the server with the least data. Pure: a table of cases over an ``ExtentMap``.
///
/// | the server lacks | what is sent |
/// | --- | --- |
/// | the end, from where its file ends | those bytes, behind the others |
/// | some ranges of a large file | those ranges, each in its place, if the server was seen to leave the rest alone |
/// | anything else, or all | the whole |
enum UploadPlan: Hashable {
    /// Where the bytes go.
    enum Target: Hashable, Sendable {
        /// To the file itself.
        case name
        /// To another name beside it, which then takes its place.
        case temporary
    }

    /// Nothing is left to be sent.
    case nothing
    /// These bytes, behind what is there.
    case append(Range<Int64>)
    /// These ranges, in their places.
    ///
    /// One that begins at 0 is possible only on servers that take a range for an upload: `REST 0` and `STOR` cut the file on
    /// all of vsftpd, ProFTPD, Pure-FTPd and pyftpdlib, as `STOR` alone does. Of these ProFTPD takes `RANG`; for the others
    /// the whole is sent.
    case patch([Range<Int64>])
    /// All of it.
    case whole

    /// What one more range costs, in bytes: three round trips, in which a line of 100 Mbit/s and 20 ms moves 750 KB.
    static let costOfRange: Int64 = 768 << 10
    /// What patching has to save at least: below, the whole file is sent about as fast, and is replaced in one step.
    static let worthwhile: Int64 = 1 << 20
    /// How many ranges at most.
    static let maximumRanges = 64

    /// Decides.
    ///
    /// - Parameters:
    ///   - serverSize: how long the file at the target is; `nil` when what is there does not count.
    ///   - appends: whether the server's end may be appended to at all.
    ///   - replacesStart: whether a range may begin at 0.
    static func choose(
        _ map: ExtentMap, serverSize: Int64?, appends: Bool = true, replacesStart: Bool = false
    ) -> UploadPlan {
        guard let serverSize, serverSize <= map.size else { return .whole }
        let dirty = Array(map.dirty.ranges)
        guard let first = dirty.first else { return serverSize == map.size ? .nothing : .whole }
        if appends, dirty == [serverSize..<map.size], serverSize > 0 { return .append(first) }
        let ranges = joined(dirty, map)
        guard ranges.count <= maximumRanges, first.lowerBound > 0 || replacesStart, first.lowerBound <= serverSize
        else { return .whole }
        let patching = ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } + Int64(ranges.count) * costOfRange
        let fetching = map.missing(in: 0..<map.size).reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
        return patching + worthwhile <= map.size + fetching ? .patch(ranges) : .whole
    }

    /// Ranges that are closer than one more of them is worth are sent as one, if what is between them is here.
    private static func joined(_ ranges: [Range<Int64>], _ map: ExtentMap) -> [Range<Int64>] {
        var result: [Range<Int64>] = []
        for range in ranges {
            guard let last = result.last, range.lowerBound - last.upperBound < costOfRange,
                map.missing(in: last.upperBound..<range.lowerBound).isEmpty
            else {
                result.append(range)
                continue
            }
            result[result.count - 1] = last.lowerBound..<range.upperBound
        }
        return result
    }
}
