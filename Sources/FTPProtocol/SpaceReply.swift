/// How much room a server has, in what it says of that.
package enum SpaceReply {
    /// What a quota allows.
    package struct Quota: Hashable, Sendable {
        /// Bytes that count already.
        package let used: UInt64
        /// Bytes that are allowed in all.
        package let limit: UInt64
    }

    /// The bytes that are free, in the text of the 213 that answers `AVBL` (draft-peterson-streamlined-ftp-command-extensions
    /// §4): a number, like that of `SIZE`.
    package static func parseAvailable(_ text: [UInt8]) -> UInt64? {
        SizeReply.parse(text).flatMap { UInt64(exactly: $0) }
    }

    /// The quota in the answer to `SITE QUOTA` (ProFTPD's mod_quotatab), of which one line matters:
    ///
    ///     200-The current quota for this session are [current/limit]:
    ///      Name: me
    ///        Uploaded Mb:		1.18/95.37
    ///        Downloaded Mb:	unlimited
    ///
    /// - Returns: `nil` when uploads are not limited.
    package static func parseQuota(_ reply: Reply) -> Quota? {
        for line in reply.lines {
            let words = line.split { ASCII.isBlank($0) || $0 == ASCII.slash }
            guard words.count == 4, words[0].equalsIgnoringCase("uploaded") else { continue }
            guard let scale = scale(of: words[1]), let used = bytes(words[2], scale), let limit = bytes(words[3], scale)
            else { continue }
            return Quota(used: used, limit: limit)
        }
        return nil
    }

    private static func scale(of unit: ArraySlice<UInt8>) -> UInt64? {
        let table: [(String, UInt64)] = [("bytes:", 1), ("kb:", 1 << 10), ("mb:", 1 << 20), ("gb:", 1 << 30)]
        return table.first { unit.equalsIgnoringCase($0.0) }?.1
    }

    /// `95.37`, of units of so many bytes.
    private static func bytes(_ word: ArraySlice<UInt8>, _ scale: UInt64) -> UInt64? {
        let parts = word.split(separator: ASCII.period, maxSplits: 1)
        guard let whole = parts.first?.decimal.flatMap({ UInt64(exactly: $0) }) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
        let hundredths = parts.count == 2 && parts[1].count == 2 ? parts[1].decimal ?? 0 : 0
        let (sum, overflowsToo) = product.addingReportingOverflow(UInt64(clamping: hundredths) * scale / 100)
        return overflow || overflowsToo ? nil : sum
    }
}
