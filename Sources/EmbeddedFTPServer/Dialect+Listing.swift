internal import Vocabulary

/// Deviations of listings. Each was seen on a real server.
extension Dialect.Quirks {
    /// MLSD ignores its argument and lists the working directory.
    package static let ignoresMachineListArgument = Self(rawValue: 1 << 48)
    /// LIST with `-a` shows only the names that begin with a dot.
    package static let listsOnlyDotFilesWithOption = Self(rawValue: 1 << 49)
    /// LIST, NLST and MLSD are refused after `TYPE I`.
    package static let listsInASCIIOnly = Self(rawValue: 1 << 50)
    /// CWD succeeds on a file too, in which LIST shows the file.
    package static let entersFiles = Self(rawValue: 1 << 51)
    /// MDTM tells, and sets, times in the zone of LIST (vsftpd with use_localtime).
    package static let tellsLocalTime = Self(rawValue: 1 << 52)
    /// MLSD of an empty directory is answered 550.
    package static let refusesEmptyMachineListing = Self(rawValue: 1 << 53)
}

extension Dialect {
    /// An entry as LIST shows it, in the server's zone.
    func inZone(_ entry: StorageEntry) -> StorageEntry {
        guard zoneOffset != 0 else { return entry }
        var entry = entry
        entry.attributes.modified.seconds &+= zoneOffset
        return entry
    }

    /// How far the times of MDTM are from UTC, in seconds.
    var toldOffset: Int64 { quirks.contains(.tellsLocalTime) ? zoneOffset : 0 }
}
