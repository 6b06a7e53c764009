import Vocabulary

/// The size and the date of a line in the manner of `ls -l`: the first date that has a size in the word before it.
///
/// What stands before them (links, owner, group) may be missing, hold blanks, or look like anything, so that only the two
/// together are dependable.
struct DatedColumns {
    /// Bytes; `nil` when the line does not tell.
    let size: Int64?
    let date: UnixDate

    /// Looks through the words of `line` from the place `start` on.
    init?(in line: ArraySlice<UInt8>, from start: Int, kind: ListingEntry.Kind, now: Timestamp) {
        var words = Words(line[start...])
        var previous = words.next()
        var first = words.next()
        var second = words.next()
        while let before = previous, let word = first {
            let third = words.next()
            if let size = SizeField(before, of: kind),
                let date = UnixDate(first: word, second: second, third: third, in: line, now: now)
            {
                self.size = size.bytes
                self.date = date
                return
            }
            (previous, first, second) = (word, second, third)
        }
        return nil
    }
}

/// The word before the date.
private struct SizeField {
    /// `nil` when the word stands in the place of the size and does not tell it.
    let bytes: Int64?

    /// - Returns: `nil` when the word cannot be a size, so that what follows it is not the date.
    init?(_ word: ArraySlice<UInt8>, of kind: ListingEntry.Kind) {
        guard let first = word.first, let last = word.last else { return nil }
        bytes = kind == .special ? nil : word.groupedDecimal
        if bytes != nil { return }
        // More digits than any file has bytes, or the group and the size in one word. Also `8,0` and the second half
        // of `1,   3`: the numbers of a device.
        if ASCII.isDigit(last), kind == .special || !ASCII.isDigit(first) || word.allSatisfy(ASCII.isDigit) {
            if first != ASCII.minus { return }
        }
        // `ls -h`: 4.0K, 12M.
        let isRounded =
            ASCII.isDigit(first) && "KMGTPkmgtp".utf8.contains(last)
            && word.dropLast().allSatisfy { ASCII.isDigit($0) || $0 == ASCII.period }
        if !isRounded { return nil }
    }
}
