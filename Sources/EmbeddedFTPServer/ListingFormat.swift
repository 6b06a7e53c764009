internal import Vocabulary

/// How LIST writes one line. No standard says; these are the shapes that clients have to read.
package enum ListingFormat: Hashable, Sendable {
    /// As `ls -l`, in the widths of the product.
    case unix(UnixColumns)
    /// As `dir` of DOS: `01-02-20  03:04AM       <DIR>          name` (IIS).
    case dos

    /// As `ls -l`, in the widths of vsftpd.
    package static let unix = ListingFormat.unix(.vsftpd)

    /// The columns of a line in the style of `ls -l`.
    package struct UnixColumns: Hashable, Sendable {
        /// The width of the number of links, and of the size; both are set to the right.
        package var links: Int
        package var size: Int
        /// The width of owner and group; both are set to the left.
        package var owner: Int
        /// Owner and group as they are shown; `nil`: their numbers.
        package var ownerName: String?
        package var groupName: String?
        /// What fills the day of the month up to two places.
        package var dayFiller: Character

        package init(
            links: Int, size: Int, owner: Int, ownerName: String? = nil, groupName: String? = nil,
            dayFiller: Character = " "
        ) {
            self.links = links
            self.size = size
            self.owner = owner
            self.ownerName = ownerName
            self.groupName = groupName
            self.dayFiller = dayFiller
        }

        /// `-rw-r--r--    1 1        65534           6 Jan 02  2020 a.txt`
        package static let vsftpd = UnixColumns(links: 5, size: 8, owner: 8, dayFiller: "0")
        /// `-rw-r--r--   1 ftp      ftp             6 Jan  2  2020 a.txt`
        package static let proftpd = UnixColumns(links: 4, size: 8, owner: 8, ownerName: "ftp", groupName: "ftp")
        /// `-rw-r--r--    1 0          0                   6 Jan  2  2020 a.txt`
        package static let pureftpd = UnixColumns(links: 5, size: 10, owner: 10)
        /// `-rw-rw-rw- 1 ftp ftp               6 Jan 02  2020 a.txt`
        package static let filezilla = UnixColumns(
            links: 2, size: 15, owner: 3, ownerName: "ftp", groupName: "ftp", dayFiller: "0")
    }

    /// The line of one entry, without its end.
    func line(_ entry: StorageEntry, now: Timestamp) -> [UInt8] {
        switch self {
        case .unix(let columns): columns.line(entry, now: now)
        case .dos: dosLine(entry)
        }
    }

    private func dosLine(_ entry: StorageEntry) -> [UInt8] {
        let date = CivilTime(entry.attributes.modified)
        let hour = date.hour % 12 == 0 ? 12 : date.hour % 12
        var line = "\(padded(date.month, 2))-\(padded(date.day, 2))-\(padded(date.year % 100, 2))  "
        line += "\(padded(hour, 2)):\(padded(date.minute, 2))\(date.hour < 12 ? "AM" : "PM")"
        // Both fill 22 columns, so that the names stand below each other.
        if entry.attributes.kind == .directory {
            line += "       <DIR>          "
        } else {
            line += padded(entry.attributes.size, 21, with: " ") + " "
        }
        return Array(line.utf8) + entry.name
    }
}

extension ListingFormat.UnixColumns {
    /// How old a file may be to be shown with its time of day instead of its year: half a year, as `ls` does.
    private static let recent: Int64 = 182 * 86_400

    fileprivate func line(_ entry: StorageEntry, now: Timestamp) -> [UInt8] {
        let attributes = entry.attributes
        let date = CivilTime(attributes.modified)
        let age = now.seconds.subtractingReportingOverflow(attributes.modified.seconds)
        // One day of the future is tolerated, for clocks that differ.
        let isRecent = !age.overflow && (-86_400...Self.recent).contains(age.partialValue)
        var line = permissions(attributes)
        line += padded(attributes.links, links, with: " ")
        line += " " + leftPadded(ownerName ?? String(attributes.owner), owner)
        line += " " + leftPadded(groupName ?? String(attributes.group), owner)
        line += " " + padded(attributes.size, size, with: " ")
        line += " \(date.monthName) \(padded(date.day, 2, with: dayFiller)) "
        line += isRecent ? "\(padded(date.hour, 2)):\(padded(date.minute, 2))" : " \(padded(date.year, 4))"
        line += " "
        var bytes = Array(line.utf8) + entry.name
        if attributes.kind == .symbolicLink, let target = entry.linkTarget { bytes += Array(" -> ".utf8) + target }
        return bytes
    }

    private func leftPadded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }

    /// `drwxr-xr-x`, with `s`, `S`, `t` and `T` for the upper three bits.
    private func permissions(_ attributes: StorageAttributes) -> String {
        var letters: [Character]
        switch attributes.kind {
        case .file: letters = ["-"]
        case .directory: letters = ["d"]
        case .symbolicLink: letters = ["l"]
        case .special: letters = ["c"]
        }
        for shift in [6, 3, 0] as [UInt32] {
            let bits = attributes.mode >> shift
            letters.append(bits & 4 != 0 ? "r" : "-")
            letters.append(bits & 2 != 0 ? "w" : "-")
            letters.append(bits & 1 != 0 ? "x" : "-")
        }
        for (bit, index, letter) in [(0o4000, 3, "s"), (0o2000, 6, "s"), (0o1000, 9, "t")] as [(UInt32, Int, String)]
        where attributes.mode & bit != 0 {
            letters[index] = Character(letters[index] == "x" ? letter : letter.uppercased())
        }
        return String(letters)
    }
}
