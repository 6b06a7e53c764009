import FTPProtocol

/// What follows from what a server says of itself: the one table of products and their habits.
///
/// A row is used as soon as its evidence is seen, and only sets something in the ``ServerProfile``; nothing else in the
/// client knows the names of products. What cannot be known beforehand is found out at run time and remembered beside it:
/// the table of that is in the comment of ``ServerProfile``.
struct ServerQuirk: Sendable {
    /// Where it shows.
    enum Evidence: Hashable, Sendable {
        /// One of these words is in the greeting; lower-case.
        case greeting([String])
        /// `FEAT` lists this label.
        case feature(String)
        /// One of these words is in the answer to `SYST`; lower-case. It is asked only of servers whose `PWD` makes no
        /// sense: what Windows and Unix say there means nothing.
        case system([String])
    }

    let evidence: Evidence
    /// What the server does.
    let habit: String
    /// How that is known.
    let source: String
    let apply: @Sendable (inout ServerProfile) -> Void

    private init(
        _ evidence: Evidence, _ habit: String, source: String, apply: @escaping @Sendable (inout ServerProfile) -> Void
    ) {
        self.evidence = evidence
        self.habit = habit
        self.source = source
        self.apply = apply
    }

    /// All rows.
    static let table: [ServerQuirk] = [
        ServerQuirk(
            .greeting(["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "filezilla server"]),
            "reads commands line by line however they arrive; others take what one recv(2) brings for one command",
            source: "tried with each of them"
        ) { $0.takesCommandsTogether = true },
        ServerQuirk(
            .greeting(["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "filezilla server"]),
            "begins where REST says, at whatever offset", source: "tried with each of them"
        ) { $0.restart.trustAll() },
        ServerQuirk(
            .greeting(["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"]),
            "does what it says: a file of no bytes is there after STOR, and 250 to RNTO means that the name has changed",
            source: "tried with each of them"
        ) {
            $0.emptyFiles = .made
            $0.renameIsProven = true
            $0.appendIsProven = true
        },
        ServerQuirk(
            .greeting(["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"]),
            "answers 503 to RNTO behind a refused RNFR, also when an earlier rename came to nothing; and removes no"
                + " directory that holds anything", source: "tried with each of them"
        ) {
            $0.renamesTogether = true
            $0.removesOnlyEmpty = true
        },
        ServerQuirk(
            .greeting(["vsftpd", "proftpd", "pyftpdlib"]),
            "leaves alone what follows the bytes of a STOR behind REST", source: "tried with each of them"
        ) { $0.productKeepsTail = true },
        ServerQuirk(
            .greeting(["proftpd"]),
            "takes RANG before STOR too, from byte 0 on: the rest of the file stays; and it counts for one transfer, also for a"
                + " refused one",
            source: "tried with 1.3.8"
        ) { $0.storesRanges = true },
        ServerQuirk(
            .greeting(["pure-ftpd"]), "cuts a file off behind the bytes of a STOR behind REST",
            source: "tried with 1.0.50"
        ) { $0.productKeepsTail = false },
        ServerQuirk(
            .greeting(["vsftpd", "proftpd", "pure-ftpd"]),
            "leaves what comes on the data connection before the command in the socket; others read it and throw it away",
            source: "tried with each of them; pyftpdlib does the other"
        ) { $0.leavesEarlyData = true },
        ServerQuirk(
            .greeting(["vsftpd"]),
            "reads no command before a transfer has ended; others take one for an ABOR (Pure-FTPd answers 500), or carry"
                + " it out before the last byte is in the file (ProFTPD, pyftpdlib)",
            source: "tried with 3.0.3; the source of the others"
        ) { $0.queuesCommands = true },
        ServerQuirk(
            .greeting(["vsftpd"]), "answers STAT -a with what LIST -a would send, and has no MLSD",
            source: "tried with 3.0.3"
        ) { $0.listings.trustStatus() },
        ServerQuirk(
            .greeting(["vsftpd"]), "tells MDTM in the zone of LIST, whichever that is", source: "tried with 3.0.3"
        ) { $0.clock.tellsAlike() },
        ServerQuirk(
            .greeting(["proftpd"]), "takes 0xFF in a command for the beginning of a TELNET command (RFC 854)",
            source: "tried with 1.3.8"
        ) { $0.doublesTelnetEscape = true },
        ServerQuirk(
            .feature("MFF"), "is ProFTPD, whatever its greeting was set to; no other server has this command",
            source: "draft-somers-ftp-mfxx, and the source of mod_facts"
        ) { $0.doublesTelnetEscape = true },
        ServerQuirk(
            .feature("PRET"), "is a server of many hosts, and chooses one for a transfer before it opens a port",
            source: "drftpd, and its documentation of the command"
        ) { $0.wantsPreTransfer = true },
        ServerQuirk(
            .feature("ESTP"),
            "is Pure-FTPd, puts '_' in the place of a blank at the end of a name that it makes, and refuses a backslash,"
                + " also as the second byte of a character; and has PRET without needing it",
            source: "tried with 1.0.50; the command is its own"
        ) {
            $0.replacesTrailingBlanks = true
            $0.wantsPreTransfer = false
            $0.refusedBytes = [0x5C]
        },
        ServerQuirk(
            .greeting(["qtcp at", "os/400", "as/400"]),
            "names things LIBRARY/FILE.MEMBER and lists them in its own way, until it is told otherwise",
            source: "IBM i, FTP server subcommands; libcurl does the same"
        ) { $0.preparation = ibmPreparation },
        ServerQuirk(
            .system(["os/400"]), "the same, where the greeting was changed",
            source: "IBM i, FTP server subcommands; libcurl does the same"
        ) { $0.preparation = ibmPreparation },
    ]

    /// Names as on Unix, and listings in the form of Unix.
    private static let ibmPreparation = [Command("SITE NAMEFMT", "1"), Command("SITE LISTFMT", "1")]
}

extension ServerProfile {
    /// Takes in what the greeting says.
    mutating func learn(greeting: Reply) {
        // Another machine may answer under the same name.
        takesCommandsTogether = false
        renamesTogether = false
        removesOnlyEmpty = false
        productKeepsTail = nil
        storesRanges = false
        queuesCommands = false
        leavesEarlyData = false
        apply { evidence in
            if case .greeting(let words) = evidence { greeting.mentions(words) } else { false }
        }
    }

    /// Takes in what the answer to `SYST` says.
    mutating func learn(system: Reply) {
        apply { evidence in
            if case .system(let words) = evidence { system.mentions(words) } else { false }
        }
    }

    /// Takes in what `FEAT` lists.
    mutating func learnQuirks(of features: Features) {
        apply { evidence in
            if case .feature(let label) = evidence { features.contains(label) } else { false }
        }
    }

    private mutating func apply(where isSeen: (ServerQuirk.Evidence) -> Bool) {
        for quirk in ServerQuirk.table where isSeen(quirk.evidence) { quirk.apply(&self) }
    }
}
