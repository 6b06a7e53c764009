/// How a server product talks: everything in which FTP servers differ, as data.
///
/// The products are in `Dialect+Unix.swift` and `Dialect+Windows.swift`. A test that needs a variation changes a copy:
///
/// ```swift
/// var dialect = Dialect.proftpd
/// dialect.features.removeAll { $0.hasPrefix("RANG") }
/// dialect.says[.renameFailed] = "553 No."
/// dialect.quirks.insert(.refusesReplacingRename)
/// ```
package struct Dialect: Sendable {
    /// The name of the product.
    package var name: String
    /// What FEAT lists (RFC 2389 §3.2); empty: FEAT is an unknown command.
    package var features: [String]
    /// The verbs that are answered as unknown, though this server could do them.
    package var lacks: Set<String>
    /// How LIST writes a line.
    package var listing: ListingFormat
    /// Which facts MLSD and MLST give, in which order (RFC 3659 §7.5).
    package var facts: MachineListingFormat
    /// In what it deviates, or may.
    package var quirks: Quirks
    /// What it does that few do.
    package var oddities: Oddities = []
    /// In whose words it gives the reason of a refusal.
    package var reasons: ReasonStyle
    /// What it says; what is missing here is said as in ``Phrase/usual``.
    package var says: [Phrase: Saying]
    /// In which zone LIST shows times, in seconds east of UTC.
    package var zoneOffset: Int64 = 0
    /// How many entries a listing shows at most; it then says that it was truncated (Pure-FTPd).
    package var listingLimit: Int?

    /// A product that deviates from the usual as told.
    package init(
        name: String, features: [String] = [], lacks: Set<String> = [], listing: ListingFormat = .unix,
        facts: MachineListingFormat = .plain, quirks: Quirks = [], reasons: ReasonStyle = .unix,
        says: [Phrase: Saying] = [:]
    ) {
        self.name = name
        self.features = features
        self.lacks = lacks
        self.listing = listing
        self.facts = facts
        self.quirks = quirks
        self.reasons = reasons
        self.says = says
    }

    /// Stands in ``features`` for `MLST` with all facts, of which those that are on have a star.
    package static let machineListingFeature = "MLST"

    /// What it says on an occasion.
    package func saying(_ phrase: Phrase) -> Saying { says[phrase] ?? Self.security[name]?[phrase] ?? phrase.usual }

    /// The deviations. Each was seen on a real server.
    package struct Quirks: OptionSet, Sendable {
        package let rawValue: UInt64

        package init(rawValue: UInt64) { self.rawValue = rawValue }

        /// STOR behind REST cuts what is behind the last byte written (Pure-FTPd); else the tail stays.
        package static let cutsTailAfterRestart = Quirks(rawValue: 1 << 0)
        /// REST before STOR is not honoured: the file is written from its start.
        package static let ignoresRestartOfStore = Quirks(rawValue: 1 << 1)
        /// RNTO refuses a target that exists (IIS, FileZilla Server); else it replaces it.
        package static let refusesReplacingRename = Quirks(rawValue: 1 << 2)
        /// LIST takes `-a` and `-la` as options; else as part of the name.
        package static let listsWithOptions = Quirks(rawValue: 1 << 3)
        /// LIST with `-a` shows `.` and `..` too.
        package static let listsDotAndDotDot = Quirks(rawValue: 1 << 4)
        /// LIST without options hides names that begin with a dot.
        package static let hidesDotFiles = Quirks(rawValue: 1 << 5)
        /// LIST and NLST understand `*`, `?` and `[…]` in their argument.
        package static let expandsPatterns = Quirks(rawValue: 1 << 6)
        /// LIST splits its argument at blanks and lists each piece (Pure-FTPd).
        package static let splitsListArgumentAtBlanks = Quirks(rawValue: 1 << 7)
        /// LIST ignores its argument and lists the working directory.
        package static let ignoresListArgument = Quirks(rawValue: 1 << 8)
        /// LIST of what does not exist is an empty listing and 226 (vsftpd, Pure-FTPd).
        package static let listsNothingForMissing = Quirks(rawValue: 1 << 9)
        /// LIST opens the data connection (150) before it looks, and says behind it that there is nothing (ProFTPD).
        package static let opensBeforeItLooks = Quirks(rawValue: 1 << 10)
        /// NLST names only what is there: it refuses what is missing and understands no patterns (Pure-FTPd).
        package static let namesOnlyWhatExists = Quirks(rawValue: 1 << 11)
        /// LIST of an empty directory is answered 550.
        package static let refusesEmptyListing = Quirks(rawValue: 1 << 12)
        /// LIST begins with a line `total n`.
        package static let listsTotal = Quirks(rawValue: 1 << 13)
        /// LIST of a symbolic link to a directory shows the link itself (ProFTPD).
        package static let listsLinkItself = Quirks(rawValue: 1 << 14)
        /// NLST without options names files that begin with a dot, `.` and `..` (Pure-FTPd).
        package static let namesEverything = Quirks(rawValue: 1 << 15)
        /// MLSD leaves `.` and `..` out (FileZilla Server).
        package static let hidesDotInMachineListing = Quirks(rawValue: 1 << 16)
        /// `MDTM 20200102030405 name` sets the time (vsftpd with mdtm_write).
        package static let setsTimeWithMDTM = Quirks(rawValue: 1 << 17)
        /// SIZE is refused in ASCII mode (vsftpd with ASCII on, pyftpdlib).
        package static let refusesSizeInASCII = Quirks(rawValue: 1 << 18)
        /// MDTM of a directory works.
        package static let tellsTimeOfDirectories = Quirks(rawValue: 1 << 19)
        /// 0xFF in a command is half of a pair that stands for one (RFC 854; ProFTPD).
        package static let halvesIAC = Quirks(rawValue: 1 << 20)
        /// 0xFF in a reply is doubled (vsftpd).
        package static let doublesIAC = Quirks(rawValue: 1 << 21)
        /// A `"` in 257 is not doubled (Pure-FTPd), against RFC 959, appendix II.
        package static let leavesQuotesSingle = Quirks(rawValue: 1 << 22)
        /// The path in 257 of MKD is as the client wrote it (Pure-FTPd); else from `/`.
        package static let repeatsPathOfMakeDirectory = Quirks(rawValue: 1 << 23)
        /// MLST names the thing as the client wrote it; else from `/`.
        package static let repeatsPathOfMachineListing = Quirks(rawValue: 1 << 24)
        /// One connection too many is turned away behind PASS and not at the greeting (ProFTPD).
        package static let countsConnectionsAtLogin = Quirks(rawValue: 1 << 25)
        /// REST beyond the end of the file is refused by RETR (ProFTPD, Pure-FTPd); else it reads nothing.
        package static let refusesRestartBeyondEnd = Quirks(rawValue: 1 << 26)
        /// FEAT, MLST and the like repeat the code on each of their lines.
        package static let repeatsCodeInLines = Quirks(rawValue: 1 << 27)
        /// ABOR is not heard while a transfer runs: it goes on to its end (vsftpd without async_abor_enable).
        package static let hearsAbortTooLate = Quirks(rawValue: 1 << 28)
        /// A name that exists as it is written is taken before it is understood as a pattern (ProFTPD, vsftpd).
        package static let prefersLiteralName = Quirks(rawValue: 1 << 29)
        /// NLST says the directory of its argument in front of each name.
        package static let namesWithDirectory = Quirks(rawValue: 1 << 30)
        /// The 150 of RETR tells how many bytes are to come, and not the size of the file (ProFTPD).
        package static let opensWithRemainingSize = Quirks(rawValue: 1 << 31)
        /// An empty line is answered (ProFTPD); else passed over.
        package static let answersEmptyLine = Quirks(rawValue: 1 << 32)
        /// PASV and EPSV want a PRET before them that names the transfer (drftpd).
        package static let wantsPreTransfer = Quirks(rawValue: 1 << 48)
        /// REST is answered 350, and the transfer begins at the start of the file all the same.
        package static let confirmsRestartOnly = Quirks(rawValue: 1 << 49)
        /// REST forgets what does not fit into 32 bits.
        package static let keepsRestartIn32Bits = Quirks(rawValue: 1 << 50)
        /// An active data connection comes twice: first from another address (127.0.0.2), then from the server's own.
        package static let connectsFromElsewhereToo = Quirks(rawValue: 1 << 51)
        /// STAT of a directory sends the lines of LIST as they are, also those that look like an end; else a blank in front of
        /// each, and no line ends inside.
        package static let listsStatusAsIs = Quirks(rawValue: 1 << 54)
    }
}

/// A reply with its code: `"550 Failed to open file."`.
///
/// Several lines are separated by `\n` and make a reply of several lines (RFC 959 §4.2). What stands in braces is
/// filled in: `{argument}` as the client wrote it, `{path}` from `/`, `{reason}` what the system says, and what the
/// occasion names besides (``Phrase``).
package struct Saying: Hashable, Sendable, ExpressibleByStringLiteral {
    package var code: UInt16
    package var text: String

    package init(_ code: UInt16, _ text: String) {
        self.code = code
        self.text = text
    }

    /// Three digits, a blank, the text. A literal without digits gets the code 500.
    package init(stringLiteral line: String) {
        code = UInt16(line.prefix(3)) ?? 500
        text = String(line.dropFirst(4))
    }
}
