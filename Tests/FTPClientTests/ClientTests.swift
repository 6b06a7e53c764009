import EmbeddedFTPServer
import FTPProtocol
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// The client against a whole server: what it says on the wire, and what it does when things go wrong.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ClientTests {
    // MARK: Round trips

    @Test func fromNothingToTheFirstListingInEightRoundTrips() throws {
        let served = try Served(.proftpd) { $0.add("f", text: "x") }
        #expect(try served.names() == ["f"])
        // Connect and greeting, then these; the six in the middle travel together, as do MLSD and the data connection.
        #expect(
            served.server.transcript.verbs == [
                "USER", "PASS", "FEAT", "CLNT", "OPTS", "OPTS", "TYPE", "PWD", "EPSV", "MLSD",
            ])
    }

    @Test func aServerWithoutFeaturesIsListedInEightToo() throws {
        var dialect = Dialect.vsftpd
        dialect.says[.greeting] = "220 Hello"
        let served = try Served(dialect) { $0.add("f", text: "x") }
        #expect(try served.names() == ["f"])
        #expect(served.server.transcript.verbs == ["USER", "PASS", "FEAT", "EPSV", "LIST"])
    }

    @Test func aBaseDirectoryCostsNoRoundTripMore() throws {
        let base = ClientConfiguration.Base.relativeToLogin([try FileName(validating: "pub")])
        let served = try Served(.vsftpd, base: base) { $0.add("pub/f", text: "x") }
        #expect(try served.names() == ["f"])
        #expect(
            served.server.transcript.verbs == ["USER", "PASS", "FEAT", "CWD", "TYPE", "PWD", "STAT", "REST", "REST"])
    }

    @Test func onAWarmConnectionEachOperationTakesWhatItNeeds() throws {
        let served = try Served(.proftpd) { tree in
            tree.addPattern("d/f", size: 10)
        }
        _ = try served.names()
        let operations: [(String, () throws -> Void, [String])] = [
            ("list", { _ = try served.names(try remote("d")) }, ["EPSV", "MLSD /d"]),
            (
                "look", { _ = try served.client.status(of: try remote("d/f"), cancellation: served.cancellation) },
                ["MLST /d/f"]
            ),
            ("read", { _ = try served.readPattern("d/f") }, ["EPSV", "RETR /d/f"]),
            ("read a part", { _ = try served.readPattern("d/f", from: 3) }, ["EPSV", "REST 3", "RETR /d/f"]),
            ("write", { try served.write([1], to: "d/g") }, ["EPSV", "STOR /d/g"]),
            ("append", { try served.write([2], to: "d/g", .append) }, ["EPSV", "APPE /d/g"]),
            (
                "rename",
                {
                    try served.client.rename(
                        try remote("d/g"), to: try remote("d/h"), cancellation: served.cancellation)
                }, ["RNFR /d/g", "RNTO /d/h"]
            ),
            (
                "remove", { try served.client.removeFile(try remote("d/h"), cancellation: served.cancellation) },
                ["DELE /d/h"]
            ),
            (
                "make", { try served.client.makeDirectory(try remote("e"), cancellation: served.cancellation) },
                ["MKD /e"]
            ),
            (
                "time",
                {
                    try served.client.setModificationTime(
                        try remote("d/f"), to: Timestamp(seconds: 0), cancellation: served.cancellation)
                }, ["MFMT 19700101000000 /d/f"]
            ),
            (
                "mode", { try served.client.setMode(try remote("d/f"), to: 0o640, cancellation: served.cancellation) },
                ["SITE CHMOD 640 /d/f"]
            ),
        ]
        for (name, operation, expected) in operations {
            let mark = served.server.transcript.mark
            try operation()
            #expect(served.lines(since: mark) == expected, "\(name)")
        }
        #expect(served.server.openConnections == 1)
    }

    @Test func aSequentialReadOfALargeFileIsOneTransfer() throws {
        let served = try Served { $0.addPattern("big", size: 20_000_000) }
        #expect(try served.readPattern("big") == 20_000_000)
        #expect(served.server.transcript.count(of: "RETR") == 1)
    }

    // MARK: Data connections

    @Test func whereEPSVIsRefusedPASVIsUsedAndRemembered() throws {
        let served = try Served(faults: FaultPlan([.every("EPSV", .reply(500, "EPSV not understood"))]))
        _ = try served.names()
        _ = try served.names()
        #expect(served.server.transcript.count(of: "EPSV") == 1)
        #expect(served.server.transcript.count(of: "PASV") == 2)
    }

    @Test func whereTheDataConnectionOfEPSVFailsPASVIsUsedAndRemembered() throws {
        let served = try Served(faults: FaultPlan([.every("EPSV", .refuseDataConnection)])) { $0.add("f", text: "x") }
        #expect(try served.names() == ["f"])
        #expect(try served.names() == ["f"])
        #expect(served.server.transcript.count(of: "EPSV") == 1)
        #expect(served.server.transcript.count(of: "PASV") == 2)
    }

    @Test func theAddressInThePassiveReplyIsNotLookedAt() throws {
        let served = try Served(
            faults: FaultPlan([.every("EPSV", .reply(502, "No")), .every("PASV", .wrongPassiveAddress)])
        ) { $0.add("f", text: "x") }
        #expect(try served.names() == ["f"])
    }

    @Test func anUploadByAMethodThatIsNotProvenConnectsFirst() throws {
        let served = try Served(faults: FaultPlan([.every("EPSV", .refuseDataConnection)]))
        try served.write(Array("hello".utf8), to: "f")
        #expect(served.tree.contents(of: "f") == Array("hello".utf8))
        #expect(served.server.transcript.count(of: "STOR") == 1)
    }

    // MARK: Reading on

    @Test(arguments: [FaultPlan.Ending.reset, .close])
    func aTransferThatIsCutGoesOnAtTheSameByte(_ ending: FaultPlan.Ending) throws {
        let served = try Served(
            faults: FaultPlan([.some(1...2, "RETR", .cutData(afterBytes: 300_000, by: ending))])
        ) { $0.addPattern("big", size: 1_000_000) }
        #expect(try served.readPattern("big") == 1_000_000)
        #expect(served.server.transcript.count(of: "RETR") == 3)
    }

    @Test func aLostConnectionIsReplacedInTheMiddleOfAFile() throws {
        let served = try Served { $0.addPattern("big", size: 5_000_000) }
        let stream = try served.reader("big")
        let first = try served.readSome(stream, at: 0)
        served.server.dropAllConnections()
        let rest = try served.drain(stream, from: Int64(first))
        #expect(Int64(first) + rest == 5_000_000)
    }

    @Test(arguments: [Dialect.proftpd, .vsftpd])
    func aFileThatChangedMeanwhileIsNotReadOn(_ dialect: Dialect) throws {
        let served = try Served(dialect) { $0.addPattern("big", size: 5_000_000) }
        let stream = try served.reader("big")
        let first = try served.readSome(stream, at: 0)
        served.tree.setModified(Timestamp(seconds: 1_800_000_000), of: "big")
        served.server.dropAllConnections()
        #expect(throws: FTPError.changedRemotely(path: try remote("big"))) {
            try served.drain(stream, from: Int64(first))
        }
        // And stays so.
        #expect(throws: FTPError.changedRemotely(path: try remote("big"))) { try served.readSome(stream, at: 0) }
    }

    @Test func aTransferThatIsCutAtOnceEachTimeEndsWithAnError() throws {
        let served = try Served(faults: FaultPlan([.every("RETR", .cutData(afterBytes: 0))])) {
            $0.addPattern("f", size: 1000)
        }
        #expect(throws: FTPError.self) { try served.readPattern("f") }
        // One when it was opened, and three for the read.
        #expect(served.server.transcript.count(of: "RETR") <= 4)
    }

    @Test func aTransferThatStandsStillTimesOut() throws {
        let served = try Served(
            faults: FaultPlan([.every("RETR", .stallData(afterBytes: 100))]),
            timeouts: .with { $0.dataIdle = .milliseconds(200) }
        ) { $0.addPattern("f", size: 1_000_000) }
        #expect(throws: FTPError.timedOut(.dataTransfer)) { try served.readPattern("f") }
        #expect(try served.names() == ["f"])
    }

    @Test(arguments: [Dialect.vsftpd, .proftpd, .pureftpd])
    func afterAnEarlyCloseTheSameConnectionServesTheNextCommand(_ dialect: Dialect) throws {
        let served = try Served(dialect, connections: 1) { $0.addPattern("big", size: 50_000_000) }
        for _ in 0..<3 {
            let stream = try served.reader("big", from: 7)
            _ = try served.readSome(stream, at: 7)
            stream.close()
            #expect(try served.names() == ["big"])
        }
        #expect(served.server.transcript.connections == 1)
    }

    // MARK: Lost connections

    @Test func aConnectionThatDiedWhileIdleIsReplacedForWhateverCommand() throws {
        let served = try Served { $0.add("f", text: "x") }
        _ = try served.names()
        served.server.dropAllConnections()
        try served.client.removeFile(try remote("f"), cancellation: served.cancellation)
        #expect(!served.tree.exists("f"))
        #expect(served.server.transcript.count(of: "DELE") == 1)
    }

    @Test func a421BetweenCommandsIsNotNoticed() throws {
        let served = try Served(faults: FaultPlan([.afterCommands(11, 421)])) { $0.add("f", text: "x") }
        for _ in 0..<5 { #expect(try served.names() == ["f"]) }
        #expect(served.server.transcript.connections == 2)
    }

    @Test func whatOnlyAsksIsRepeatedWhenTheAnswerIsLost() throws {
        let served = try Served(
            faults: FaultPlan([
                .nth(1, "MLST", .dropControl(.beforeReply)), .nth(1, "MLSD", .dropControl(.beforeReply)),
            ])
        ) { $0.add("f", text: "x") }
        #expect(try served.client.status(of: try remote("f"), cancellation: served.cancellation)?.size == 1)
        #expect(try served.names() == ["f"])
    }

    @Test func aDirectoryThatWasMadeThoughTheAnswerWasLostIsASuccess() throws {
        let served = try Served(faults: FaultPlan([.nth(1, "MKD", .dropControl(.beforeReply))]))
        try served.client.makeDirectory(try remote("d"), cancellation: served.cancellation)
        #expect(served.tree.exists("d"))
        #expect(served.server.transcript.count(of: "MKD") == 1)
    }

    @Test func aCommandWhoseAnswerWasLostAndThatWasNotDoneIsSentOnceMore() throws {
        let served = try Served(
            faults: FaultPlan([
                .nth(1, "MKD", .dropControl(.beforeDoing)), .nth(1, "DELE", .dropControl(.beforeDoing)),
                .nth(1, "RNTO", .dropControl(.beforeDoing)), .nth(1, "RMD", .dropControl(.beforeDoing)),
            ])
        ) { tree in
            tree.add("f", text: "x")
            tree.add("g", text: "y")
        }
        try served.client.makeDirectory(try remote("d"), cancellation: served.cancellation)
        try served.client.removeFile(try remote("f"), cancellation: served.cancellation)
        try served.client.rename(try remote("g"), to: try remote("h"), cancellation: served.cancellation)
        try served.client.removeDirectory(try remote("d"), cancellation: served.cancellation)
        #expect(try served.names() == ["h"])
    }

    @Test func aRenameThatWasDoneThoughTheAnswerWasLostIsASuccess() throws {
        let served = try Served(faults: FaultPlan([.nth(1, "RNTO", .dropControl(.beforeReply))])) {
            $0.add("f", text: "x")
        }
        try served.client.rename(try remote("f"), to: try remote("g"), cancellation: served.cancellation)
        #expect(try served.names() == ["g"])
    }

    @Test func aServerThatIsGoneIsAQuickErrorAndWorksAgainWhenItIsBack() throws {
        let served = try Served { $0.add("f", text: "x") }
        _ = try served.names()
        let port = served.server.port
        served.server.stop()
        for _ in 0..<3 {
            #expect(throws: FTPError.unreachable(host: "127.0.0.1", .connectionRefused)) { try served.names() }
        }
        let again = try EmbeddedFTPServer(.init(storage: .memory(served.tree), dialect: .proftpd, port: port))
        try again.start()
        defer { again.stop() }
        #expect(try served.names() == ["f"])
    }

    @Test func aServerThatStopsAnsweringIsATimeOutAndWorksAgainWhenItIsBack() throws {
        let served = try Served(timeouts: .with { $0.reply = .milliseconds(300) }) { $0.add("f", text: "x") }
        _ = try served.names()
        served.server.pauseAnswering()
        #expect(throws: FTPError.timedOut(.reply(verb: "EPSV"))) { try served.names() }
        served.server.resumeAnswering()
        #expect(try served.names() == ["f"])
    }

    @Test func aWrongPasswordIsRefusedAtOnceAndNotTriedAgain() throws {
        let served = try Served(password: "wrong", users: ["anonymous2": "x"])
        for _ in 0..<3 {
            let error = #expect(throws: FTPError.self) { try served.client.connect(cancellation: served.cancellation) }
            guard case .loginRefused? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        #expect(served.server.transcript.count(of: "USER") == 1)
    }

    // MARK: Cancelling

    @Test func aCancelledRequestEndsAtOnceAndTheNextOneWorks() throws {
        let served = try Served(connections: 1) { $0.add("f", text: "x") }
        _ = try served.names()
        served.server.pauseAnswering()
        let cancellation = Cancellation()
        let mark = served.server.transcript.mark
        let pending = try Pending { try served.client.list(.root, cancellation: cancellation).count }
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.since(mark).count == 1 })
        cancellation.cancel()
        #expect(throws: FTPError.cancelled) { try pending.value() }
        served.server.resumeAnswering()
        #expect(try served.names() == ["f"])
    }

    @Test func whoWaitsForAConnectionCanBeCancelled() throws {
        let served = try Served(connections: 1)
        let upload = try served.client.openWrite(try remote("up"), .replace, cancellation: served.cancellation)
        let cancellation = Cancellation()
        let pending = try Pending { try served.client.list(.root, cancellation: cancellation).count }
        cancellation.cancel()
        #expect(throws: FTPError.cancelled) { try pending.value() }
        try upload.finish(cancellation: served.cancellation)
        #expect(try served.names() == ["up"])
    }

    @Test func closingAStreamEndsAReadThatWaits() throws {
        let served = try Served(faults: FaultPlan([.every("RETR", .stallData(afterBytes: 1000))])) {
            $0.addPattern("big", size: 1_000_000)
        }
        let stream = try served.reader("big")
        let pending = try Pending { try served.drain(stream, from: 0) }
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.bytesSent >= 1000 })
        stream.close()
        #expect(throws: FTPError.closed) { try pending.value() }
    }

    // MARK: Writing

    @Test func whatIsWrittenArrives() throws {
        let served = try Served(.vsftpd)
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
        try served.write(bytes, to: "f")
        #expect(served.tree.contents(of: "f") == bytes)
        try served.write([1, 2, 3], to: "f", .append)
        #expect(served.tree.size(of: "f") == 3_000_003)
        try served.write([], to: "empty")
        #expect(served.tree.contents(of: "empty") == [])
    }

    @Test(arguments: [UInt16(452), 552, 451, 426, 550])
    func theServersLastWordReachesWhoFinishes(_ code: UInt16) throws {
        let served = try Served(faults: FaultPlan([.every("STOR", .finalReply(code, "No"))]))
        #expect(throws: FTPError.refused(verb: "STOR", Reply(code: code, lines: [Array("No".utf8)]))) {
            try served.write([1, 2, 3], to: "f")
        }
        #expect(try served.names() == ["f"])
    }

    @Test func aFullDiskInTheMiddleShowsAsTheServersReasonAndNotAsABrokenPipe() throws {
        let served = try Served(.pureftpd)
        served.tree.setFreeSpace(100_000)
        let error = #expect(throws: FTPError.self) {
            try served.write([UInt8](repeating: 1, count: 20_000_000), to: "f")
        }
        #expect(error?.refusal != nil)
        _ = try served.names()
    }

    @Test func anUploadThatIsBrokenOffLeavesTheConnectionUsable() throws {
        let served = try Served(connections: 1)
        let stream = try served.client.openWrite(try remote("f"), .replace, cancellation: served.cancellation)
        try withLocalFile([1, 2, 3]) { file in
            try stream.send(from: file, range: 0..<3, cancellation: served.cancellation)
        }
        stream.abort()
        #expect(try served.names().contains("f"))
        #expect(served.server.transcript.connections == 1)
    }

    @Test func aConfirmationThatNeverComesIsReplacedByALookAtTheSize() throws {
        let served = try Served(
            faults: FaultPlan([.nth(1, "STOR", .noFinalReply)]), timeouts: .with { $0.finalReply = .milliseconds(200) })
        try served.write([1, 2, 3], to: "f")
        #expect(served.tree.contents(of: "f") == [1, 2, 3])
    }

    @Test func aConfirmationLostWithMissingBytesIsAnError() throws {
        let served = try Served(
            faults: FaultPlan([.nth(1, "STOR", .noFinalReply)]), timeouts: .with { $0.finalReply = .milliseconds(200) })
        let stream = try served.client.openWrite(try remote("f"), .replace, cancellation: served.cancellation)
        try withLocalFile([1, 2, 3]) { file in
            try stream.send(from: file, range: 0..<3, cancellation: served.cancellation)
        }
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.bytesReceived == 3 })
        served.tree.claimSize(2, of: "f")
        #expect(throws: FTPError.timedOut(.finalReply)) { try stream.finish(cancellation: served.cancellation) }
    }

    // MARK: The end

    @Test func afterClosingNothingWorksAndNoConnectionIsLeft() throws {
        let served = try Served()
        _ = try served.names()
        served.client.close()
        #expect(throws: FTPError.closed) { try served.names() }
        #expect(served.server.wait(until: .after(.seconds(10))) { $0.count(of: "QUIT") == 1 })
    }

    @Test func thePasswordShowsNowhere() {
        let secret = Secret("hunter2")
        #expect("\(secret)" == "****")
        #expect(String(reflecting: secret) == "****")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }
}
