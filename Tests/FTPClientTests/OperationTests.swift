import EmbeddedFTPServer
import FTPMount
import FTPProtocol
import FileSystem
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Operations on servers that do them in another way, or not at all.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct OperationTests {
    private let cancellation = Cancellation()

    private static func with(_ dialect: Dialect, _ change: (inout Dialect) -> Void) -> Dialect {
        var dialect = dialect
        change(&dialect)
        return dialect
    }

    // MARK: Commands that are announced, and do not work

    @Test(arguments: [500, 501, 502, 504, 402, 200, 202] as [UInt16])
    func whatIsAnnouncedAndNotThereIsAskedForOnce(_ code: UInt16) throws {
        // 200 to a command that opens a data connection is an empty directory.
        let verbs = (code == 200 ? [] : ["MLSD"]) + ["MLST", "SIZE", "MDTM"]
        let served = try Served(
            .proftpd, faults: FaultPlan(verbs.map { .every($0, .reply(code, "Not here")) })
        ) { tree in
            tree.add("f", text: "hello")
            tree.addDirectory("d")
        }
        for _ in 0..<2 {
            #expect(try served.names().sorted() == ["d", "f"])
            #expect(try served.client.status(of: try remote("f"), cancellation: cancellation)?.size == 5)
            #expect(try served.client.size(of: try remote("f"), cancellation: cancellation) == nil)
            #expect(try served.client.modificationTime(of: try remote("f"), cancellation: cancellation) == nil)
        }
        for verb in verbs { #expect(served.server.transcript.count(of: verb) == 1, "\(verb)") }
    }

    @Test(arguments: ["MLST", "MLSD"])
    func whatIsNeverAnsweredIsAskedForOnce(_ verb: String) throws {
        let served = try Served(
            .proftpd, faults: FaultPlan([.every(verb, .hang)]),
            timeouts: .with {
                $0.reply = .milliseconds(300)
                $0.dataIdle = .milliseconds(300)
            }
        ) { $0.add("f", text: "hello") }
        for _ in 0..<2 {
            #expect(try served.client.status(of: try remote("f"), cancellation: cancellation)?.size == 5)
            #expect(try served.names() == ["f"])
        }
        #expect(served.server.transcript.count(of: verb) == 1)
    }

    @Test(arguments: ["MLST", "MLSD"])
    func whatWasAnsweredOnceIsNotStruckOutForOneSilence(_ verb: String) throws {
        let served = try Served(
            .proftpd, faults: FaultPlan([.nth(2, verb, .hang)]),
            timeouts: .with {
                $0.reply = .milliseconds(300)
                $0.dataIdle = .milliseconds(300)
            }
        ) { $0.add("f", text: "hello") }
        func look() throws -> Bool {
            verb == "MLSD"
                ? try served.names() == ["f"]
                : try served.client.status(of: try remote("f"), cancellation: cancellation)?.size == 5
        }
        #expect(try look())
        #expect(throws: FTPError.timedOut(.reply(verb: verb))) { try look() }
        #expect(try look())
        #expect(served.server.transcript.count(of: verb) == 3)
    }

    @Test(arguments: ["550 Broken pipe", "550 Connection timed out", "500 Connection closed by the remote host"])
    func whatBrokeOnTheServersSideIsAskedForOnceMore(_ line: String) throws {
        let code = try #require(UInt16(line.prefix(3)))
        let text = String(line.dropFirst(4))
        let served = try Served(
            faults: FaultPlan([.nth(1, "MDTM", .reply(code, text)), .every("DELE", .reply(code, text))])
        ) { $0.add("f", text: "hello") }
        #expect(try served.client.modificationTime(of: try remote("f"), cancellation: cancellation) != nil)
        // What would have another effect the second time is not.
        #expect(throws: FTPError.self) { try served.client.removeFile(try remote("f"), cancellation: cancellation) }
        #expect(served.server.transcript.count(of: "DELE") == 1)
    }

    @Test func aServerThatForgetsTheTypeIsToldItAgain() throws {
        let served = try Served(
            .pureftpd, faults: FaultPlan([.nth(1, "SIZE", .reply(550, "SIZE not allowed in ASCII mode."))])
        ) { $0.add("f", text: "hello") }
        #expect(try served.client.size(of: try remote("f"), cancellation: cancellation) == 5)
        #expect(served.server.transcript.verbs.suffix(3) == ["SIZE", "TYPE", "SIZE"])
    }

    @Test func whereSIZEIsRefusedInASCIITheTypeIsSetFirst() throws {
        let dialect = Self.with(.minimal) {
            $0.lacks.remove("SIZE")
            $0.quirks.insert(.refusesSizeInASCII)
        }
        let served = try Served(dialect) { $0.add("f", text: "hello") }
        #expect(try served.client.size(of: try remote("f"), cancellation: cancellation) == 5)
        #expect(served.server.transcript.count(of: "SIZE") == 1)
    }

    @Test(arguments: ["0", "size is 0", "-1", "many"])
    func aSizeThatMakesNoSenseEndsNoRead(_ size: String) throws {
        let served = try Served(.vsftpd, faults: FaultPlan([.every("SIZE", .reply(213, size))])) {
            $0.addPattern("big", size: 5_000_000)
        }
        let stream = try served.reader("big")
        let first = try served.readSome(stream, at: 0)
        served.server.dropAllConnections()
        let rest = try served.drain(stream, from: Int64(first))
        #expect(Int64(first) + rest == 5_000_000)
    }

    @Test func anySuccessSetsTheType() throws {
        let served = try Served(.minimal, faults: FaultPlan([.every("TYPE", .finalReply(226, "Type set"))])) {
            $0.addPattern("f", size: 10)
        }
        #expect(try served.readPattern("f") == 10)
        #expect(try served.readPattern("f") == 10)
        #expect(served.server.transcript.count(of: "TYPE") == 1)
    }

    // MARK: Empty files

    @Test func whereAnEmptySTORMakesNothingAPPEDoes() throws {
        let dialect = Self.with(.minimal) { $0.oddities.insert(.makesNoEmptyFiles) }
        let served = try Served(dialect)
        try served.write([], to: "a")
        #expect(served.tree.contents(of: "a") == [])
        let mark = served.server.transcript.mark
        try served.write([], to: "b")
        #expect(served.tree.contents(of: "b") == [])
        // Remembered.
        #expect(served.server.transcript.since(mark).verbs.filter { $0 != "PASV" } == ["STOR", "APPE"])
    }

    @Test func whereNothingMakesAnEmptyFileThatIsAnError() throws {
        let dialect = Self.with(.minimal) { $0.oddities.insert(.makesNoEmptyFiles) }
        let served = try Served(dialect, faults: FaultPlan([.every("APPE", .reply(502, "No"))]))
        #expect(throws: FTPError.unsupported("make an empty file")) { try served.write([], to: "a") }
        try served.write([1], to: "a")
        #expect(served.tree.contents(of: "a") == [1])
    }

    @Test func anOldFileThatAnEmptySTORLeavesAloneIsSeen() throws {
        let dialect = Self.with(.minimal) { $0.oddities.insert(.makesNoEmptyFiles) }
        let served = try Served(dialect) { $0.add("a", text: "old") }
        #expect(throws: FTPError.unsupported("make an empty file")) { try served.write([], to: "a") }
        #expect(served.tree.contents(of: "a") == Array("old".utf8))
    }

    @Test func whereEmptyFilesAreMadeThatIsLookedAtOnce() throws {
        let served = try Served(.minimal)
        try served.write([], to: "a")
        let mark = served.server.transcript.mark
        try served.write([], to: "b")
        #expect(served.server.transcript.since(mark).verbs == ["PASV", "STOR"])
        let known = try Served(.vsftpd)
        try known.write([], to: "a")
        #expect(known.server.transcript.count(of: "LIST") == 0)
    }

    // MARK: Appending

    @Test(arguments: [500, 502, 504, 202, 402] as [UInt16])
    func whereThereIsNoAPPEThatIsSaidAndRemembered(_ code: UInt16) throws {
        let served = try Served(faults: FaultPlan([.every("APPE", .reply(code, "No"))])) { $0.add("f", text: "old") }
        let missing = FTPError.unsupported("append to files (it has no APPE)")
        #expect(throws: missing) { try served.write([1], to: "f", .append) }
        #expect(throws: missing) { try served.write([1], to: "f", .append) }
        #expect(served.server.transcript.count(of: "APPE") == 1)
        #expect(!served.client.server.known.hasAppend)
        #expect(served.tree.contents(of: "f") == Array("old".utf8))
        // Nothing is begun that the server does not heed: neither REST nor STOR.
        #expect(served.server.transcript.count(of: "REST") == 0)
        #expect(served.server.transcript.count(of: "STOR") == 0)
    }

    @Test func whereAPPEMakesNoFileSTORDoes() throws {
        let served = try Served(faults: FaultPlan([.every("APPE", .reply(550, "No such file"))]))
        try served.write([1, 2], to: "f", .append)
        #expect(served.tree.contents(of: "f") == [1, 2])
    }

    @Test func noRESTComesBeforeAPPE() throws {
        let served = try Served(.pureftpd) { $0.add("f", text: "old") }
        // A REST that no transfer has used up.
        #expect(throws: FTPError.self) { try served.readPattern("none", from: 3) }
        try served.write([1], to: "f", .append)
        let lines = served.server.transcript.entries.map(\.line)
        let append = try #require(lines.firstIndex { $0.hasPrefix("APPE") })
        #expect(lines[..<append].last { $0.hasPrefix("REST") } == "REST 0")
        #expect(served.tree.contents(of: "f") == Array("old".utf8) + [1])
    }

    // MARK: Uploads that are refused

    @Test(
        arguments: [
            (452, "Insufficient storage space in system", .noSpace), (552, "Quota exceeded", .quotaExceeded),
            (451, "Requested action aborted: disk full", .noSpace), (450, "File busy", .busy),
            (550, "Speicherplatz reicht nicht aus", .noSpace), (550, "Espace insuffisant", .noSpace),
            (553, "Disk quota exceeded", .quotaExceeded), (550, "Es ist kein Speicherplatz mehr frei", .noSpace),
            (451, "Local error in processing", .inputOutput), (550, "Espacio insuficiente en el disco", .noSpace),
        ] as [(UInt16, String, StoreError.Kind)])
    func whyAnUploadWasRefusedIsSaidAndItIsNotRepeated(_ code: UInt16, _ text: String, _ kind: StoreError.Kind) throws {
        for effect in [FaultPlan.Effect.finalReply(code, text), .reply(code, text)] {
            let served = try Served(faults: FaultPlan([.every("STOR", effect)])) { $0.add("f", text: "old") }
            let store = FTPStore(served.client)
            let error = #expect(throws: StoreError.self) {
                let stream = try store.openWrite(try remote("f"), mode: .replace, cancellation: cancellation)
                try withLocalFile([1, 2, 3]) { file in
                    try stream.send(from: file, range: 0..<3, cancellation: cancellation)
                }
                try stream.finish(cancellation: cancellation)
            }
            #expect(error?.kind == kind, "\(code) \(text) \(effect): \(error?.reason ?? "")")
            #expect(served.server.transcript.count(of: "STOR") == 1)
        }
    }

    @Test func aFileThatMayNotBeWrittenIsDenied() throws {
        let served = try Served(.iis) { tree in
            tree.add("f", text: "old")
            tree.setDenied(true, of: "f")
        }
        let store = FTPStore(served.client)
        let error = #expect(throws: StoreError.self) {
            try store.openWrite(try remote("f"), mode: .replace, cancellation: cancellation).finish(
                cancellation: cancellation)
        }
        #expect(error?.kind == .denied)
    }

    // MARK: Directories

    @Test(arguments: [Dialect.vsftpd, .proftpd, .minimal])
    func nothingIsLostWhereRMDRemovesEverything(_ dialect: Dialect) throws {
        let odd = Self.with(dialect) {
            $0.says[.greeting] = "220 Service ready"
            $0.oddities.insert(.removesFullDirectories)
        }
        let served = try Served(odd) { tree in
            tree.add("full/inner", text: "x")
            tree.addDirectory("empty")
        }
        let store = FTPStore(served.client)
        let error = #expect(throws: StoreError.self) {
            try store.removeDirectory(try remote("full"), cancellation: cancellation)
        }
        #expect(error?.kind == .notEmpty)
        #expect(served.tree.exists("full/inner"))
        #expect(served.server.transcript.count(of: "RMD") == 0)
        try store.removeDirectory(try remote("empty"), cancellation: cancellation)
        #expect(!served.tree.exists("empty"))
    }

    @Test func aLineThatIsNotUnderstoodCountsAsAFileOfTheDirectory() throws {
        let odd = Self.with(.proftpd) {
            $0.says[.greeting] = "220 Service ready"
            $0.oddities.insert(.removesFullDirectories)
        }
        // A name that no command can carry is left out of listings.
        let served = try Served(odd) { $0.add(ServerPath(components: [[0x64], [0x61, 0x0D, 0x62]]), contents: [1]) }
        #expect(try served.names(try remote("d")) == [])
        let error = #expect(throws: StoreError.self) {
            try FTPStore(served.client).removeDirectory(try remote("d"), cancellation: cancellation)
        }
        #expect(error?.kind == .notEmpty)
        #expect(served.server.transcript.count(of: "RMD") == 0)
    }

    @Test(
        arguments: [
            (250, "done"), (257, "\"d\" created"), (200, "fine"), (226, "ok"),
        ] as [(UInt16, String)])
    func anySuccessMakesADirectory(_ code: UInt16, _ text: String) throws {
        let served = try Served(faults: FaultPlan([.every("MKD", .finalReply(code, text))]))
        try served.client.makeDirectory(try remote("d"), cancellation: cancellation)
        #expect(served.tree.exists("d"))
    }

    @Test(
        arguments: [
            (521, "Directory already exists", "d", .exists), (550, "No", "d", .exists), (553, "No", "d", .exists),
            (501, "not a valid pathname", "d", .exists), (501, "not a valid pathname", "none/x", .notFound),
            (550, "No", "none/x", .notFound), (550, "No", "f/x", .notDirectory), (550, "No", "new", .denied),
            (501, "not a valid pathname", "new", .invalidArgument), (450, "Busy", "new", .busy),
        ] as [(UInt16, String, String, StoreError.Kind)])
    func whyADirectoryWasNotMade(_ code: UInt16, _ text: String, _ path: String, _ kind: StoreError.Kind) throws {
        let served = try Served(.minimal, faults: FaultPlan([.every("MKD", .reply(code, text))])) { tree in
            tree.addDirectory("d")
            tree.add("f", text: "x")
        }
        let error = #expect(throws: StoreError.self) {
            try FTPStore(served.client).makeDirectory(try remote(path), cancellation: cancellation)
        }
        #expect(error?.kind == kind, "\(code) \(path)")
    }

    // MARK: Words

    @Test(
        arguments: [
            ("File exists", .exists), ("Datei ist bereits vorhanden", .exists),
            ("Le fichier existe d\u{e9}j\u{e0}", .exists),
            ("El archivo ya existe", .exists), ("Il file esiste gi\u{e0}", .exists), ("Bestand bestaat al", .exists),
            ("No such file or directory", .notFound), ("The file does not exist", .notFound),
            ("Das System kann die Datei nicht finden: nicht vorhanden", .notFound),
            ("Datei nicht gefunden", .notFound), ("Fichier introuvable", .notFound),
            ("Le fichier n'existe pas", .notFound), ("El archivo no existe", .notFound),
            ("Il file non esiste", .notFound), ("The system cannot find the file specified.", .notFound),
            ("Directory not empty", .notEmpty), ("The directory is not empty.", .notEmpty),
            ("Das Verzeichnis ist nicht leer", .notEmpty), ("Le r\u{e9}pertoire n'est pas vide", .notEmpty),
            ("El directorio no est\u{e1} vac\u{ed}o", .notEmpty), ("La directory non \u{e8} vuota", .notEmpty),
            ("Permission denied", .denied), ("Access is denied.", .denied), ("Zugriff verweigert", .denied),
            ("Permission non accord\u{e9}e", .denied), ("Acc\u{e8}s refus\u{e9}", .denied),
            ("Acceso denegado", .denied),
            ("Accesso negato", .denied), ("Disk quota exceeded", .quotaExceeded),
            ("Kontingent \u{fc}berschritten", .quotaExceeded), ("No space left on device", .noSpace),
            ("Disque plein", .noSpace), ("Disco lleno", .noSpace), ("Disco pieno", .noSpace),
            ("The process cannot access the file because it is being used by another process.", .busy),
        ] as [(String, ReplyMeaning)])
    func wordsOfManyLanguages(_ text: String, _ meaning: ReplyMeaning) {
        // In UTF-8 and in Latin-1 alike.
        let latin = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        for bytes in [Array(text.utf8), latin] {
            let reply = Reply(code: 550, lines: [bytes])
            #expect(reply.says(meaning), "\(text)")
            if meaning == .notFound { #expect(!reply.says(.exists), "\(text)") }
        }
    }

    @Test func aRefusedRenameCostsTwoLooksAtMost() throws {
        let served = try Served(.vsftpd, faults: FaultPlan([.every("RNTO", .reply(550, "Zugriff verweigert"))])) {
            $0.add("f", text: "x")
        }
        _ = try served.names()
        let mark = served.server.transcript.mark
        let error = #expect(throws: StoreError.self) {
            try FTPStore(served.client).rename(
                try remote("f"), to: try remote("g"), cancellation: cancellation)
        }
        #expect(error?.kind == .denied)
        // One that shows both names, for the rename; one that shows the target, for the error.
        #expect(served.server.transcript.since(mark).count(of: "STAT") == 2)
    }

    // MARK: Times and modes

    @Test(arguments: ["MFMT", "MDTM", "SITE UTIME", "SITE UTIME long"])
    func theTimeIsSetByWhatTheServerHas(_ method: String) throws {
        let dialect = Self.with(.proftpd) { dialect in
            dialect.lacks.remove("SITE UTIME")
            if method != "MFMT" {
                dialect.lacks.insert("MFMT")
                dialect.features.removeAll { $0 == "MFMT" }
            }
            if method == "MDTM" { dialect.quirks.insert(.setsTimeWithMDTM) }
            if method == "SITE UTIME long" { dialect.oddities.insert(.wantsLongUtime) }
        }
        let served = try Served(dialect) { $0.add("a b", text: "x") }
        let path = try remote("a b")
        try served.client.setModificationTime(path, to: Timestamp(seconds: 1_000_000_000), cancellation: cancellation)
        #expect(served.tree.attributes(of: "a b")?.modified == Timestamp(seconds: 1_000_000_000))
        let mark = served.server.transcript.mark
        try served.client.setModificationTime(path, to: Timestamp(seconds: 1_000_000_002), cancellation: cancellation)
        // Remembered.
        #expect(served.server.transcript.since(mark).count == 1)
        #expect(served.tree.attributes(of: "a b")?.modified == Timestamp(seconds: 1_000_000_002))
    }

    @Test(arguments: [500, 502, 504, 402, 202] as [UInt16])
    func whereThereIsNoCHMODThatIsSaidAndRemembered(_ code: UInt16) throws {
        let served = try Served(faults: FaultPlan([.every("SITE", .reply(code, "No"))])) { $0.add("f", text: "x") }
        for _ in 0..<2 {
            #expect(throws: FTPError.unsupported("change permissions (it has no SITE CHMOD)")) {
                try served.client.setMode(try remote("f"), to: 0o600, cancellation: cancellation)
            }
        }
        #expect(served.server.transcript.count(of: "SITE") == 1)
    }

    @Test func aCHMODThatIsIgnoredShowsInTheNextListing() throws {
        let served = try Served(faults: FaultPlan([.every("SITE", .reply(200, "Done"))])) { $0.add("f", text: "x") }
        try served.client.setMode(try remote("f"), to: 0o600, cancellation: cancellation)
        #expect(try served.client.list(.root, cancellation: cancellation).first?.mode == 0o644)
    }

    @Test func aNameWithABlankIsQuotedWhereSITEWantsThat() throws {
        let dialect = Self.with(.proftpd) { $0.oddities.insert(.splitsSiteArguments) }
        let served = try Served(dialect) { tree in
            tree.add("a b", text: "x")
            tree.add("c d", text: "x")
        }
        try served.client.setMode(try remote("a b"), to: 0o600, cancellation: cancellation)
        #expect(served.tree.attributes(of: "a b")?.mode == 0o600)
        let mark = served.server.transcript.mark
        try served.client.setMode(try remote("c d"), to: 0o600, cancellation: cancellation)
        #expect(served.lines(since: mark) == ["SITE CHMOD 600 \"/c d\""])
    }

    // MARK: The table of products

    @Test(
        arguments: [
            ("220 ProFTPD Server (Debian) [::ffff:127.0.0.1]", true, true),
            ("220 (vsFTPd 3.0.3)", true, false), ("220-Welcome to Pure-FTPd [privsep] [TLS]", true, false),
            ("220 Microsoft FTP Service", false, false), ("220 Service ready", false, false),
        ])
    func whatAGreetingTells(_ line: String, _ together: Bool, _ doubles: Bool) {
        var profile = ServerProfile()
        profile.learn(greeting: Reply(code: 220, lines: [Array(line.dropFirst(4).utf8)]))
        #expect(profile.takesCommandsTogether == together)
        #expect(profile.renameIsProven == together)
        #expect(profile.doublesTelnetEscape == doubles)
        // Another server behind the same name takes that back.
        profile.learn(greeting: Reply(code: 220, lines: [[]]))
        #expect(!profile.takesCommandsTogether)
    }

    @Test(arguments: [("MFF modify;UNIX.group;", true, false), ("ESTP", false, true), ("TVFS", false, false)])
    func whatFeaturesTell(_ line: String, _ doubles: Bool, _ replacesBlanks: Bool) {
        var profile = ServerProfile()
        let lines = ["Features", line, "End"].map { Array($0.utf8) }
        profile.learn(Features(parsing: Reply(code: 211, lines: lines)))
        #expect(profile.doublesTelnetEscape == doubles)
        #expect(profile.replacesTrailingBlanks == replacesBlanks)
    }

    @Test func everyDemotionLeadsSomewhereElse() {
        for verb in ServerProfile.demotions.keys {
            var profile = ServerProfile()
            let leadsOn = profile.strikeOut(verb)
            #expect(leadsOn, "\(verb)")
        }
        #expect(ServerProfile.dispensable.isSubset(of: ServerProfile.demotions.keys))
    }
}
