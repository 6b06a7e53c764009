@preconcurrency import Glibc
import Testing
import Threading
import Vocabulary

@testable import EmbeddedFTPServer

extension Servers {
    /// What each effect of a fault plan looks like to a client.
    @Suite struct Faults {
        private func bigTree() -> MemoryTree {
            let tree = sampleTree()
            tree.addPattern("big", size: 1_000_000)
            return tree
        }

        @Test func repliesInstead() throws {
            try withSession(bigTree(), .vsftpd, .nth(2, "SIZE", .reply(450, "Not now"))) { (_, client) throws in
                #expect(try client.code("SIZE a.txt") == 213)
                #expect(try client.command("SIZE a.txt").lines == ["450 Not now"])
                #expect(try client.code("SIZE a.txt") == 213)
            }
        }

        @Test(arguments: [
            FaultPlan.Rule.nth(1, FaultPlan.greeting, .replyAndClose(421, "Try later")),
            .nth(1, FaultPlan.greeting, .closeAfter421),
        ])
        func greetsWithARefusal(rule: FaultPlan.Rule) throws {
            try withServer(bigTree(), .vsftpd, rule) { (server) throws in
                let first = try RawClient(server)
                #expect(try first.reply().code == 421)
                #expect(try first.isClosed())
                #expect(try RawClient(server).reply().code == 220)
            }
        }

        @Test func closesAfterSomeCommands() throws {
            // The session's login is three commands.
            try withSession(bigTree(), .vsftpd, .afterCommands(4, 421)) { (_, client) throws in
                #expect(try client.code("NOOP") == 200)
                #expect(try client.code("NOOP") == 421)
                #expect(try client.isClosed())
            }
        }

        @Test(arguments: [(FaultPlan.Ending.reset, ECONNRESET as Int32?), (.close, nil)])
        func cutsDownloads(ending: FaultPlan.Ending, error: Int32?) throws {
            let tree = bigTree()
            try withSession(tree, .vsftpd, .nth(1, "RETR", .cutData(afterBytes: 65_536, by: ending))) {
                (server, client) throws in
                let first = try client.download("RETR big")
                #expect(first.bytes == tree.contents(of: "big", at: 0, count: 65_536))
                #expect(first.error == error)
                #expect(first.codes == [150, 426])
                #expect(server.transcript.bytesSent == 65_536)
                #expect(try client.download("RETR big").bytes.count == 1_000_000)
            }
        }

        @Test func cutsUploads() throws {
            let tree = MemoryTree()
            try withSession(tree, .vsftpd, .nth(1, "STOR", .cutData(afterBytes: 1000))) { (_, client) throws in
                #expect(try client.upload("STOR x", [UInt8](repeating: 7, count: 5000)) == [150, 426])
            }
            #expect(tree.size(of: "x") == 1000)
        }

        @Test func cutsAndSaysWhatItIsTold() throws {
            let rules: [FaultPlan.Rule] = [
                .every("STOR", .cutData(afterBytes: 10)), .every("STOR", .finalReply(552, "Quota exceeded")),
            ]
            try withSession(MemoryTree(), .vsftpd, rules[0], rules[1]) { (_, client) throws in
                #expect(try client.upload("STOR x", [UInt8](repeating: 7, count: 50)) == [150, 552])
            }
        }

        @Test func stallsUntilTheClientGivesUp() throws {
            try withSession(bigTree(), .proftpd, .nth(1, "RETR", .stallData(afterBytes: 500))) {
                (server, client) throws in
                let data = try client.passive()
                #expect(try client.code("RETR big") == 150)
                var buffer = [UInt8](repeating: 0, count: 1000)
                #expect(recv(data, &buffer, 500, Int32(MSG_WAITALL)) == 500)
                #expect(server.wait(until: .after(.seconds(10))) { $0.bytesSent == 500 })
                #expect(client.isSilent)
                RawClient.close(data)
                #expect(try client.reply().code == 426)
            }
        }

        @Test func stallsUntilAbort() throws {
            try withSession(bigTree(), .proftpd, .nth(1, "RETR", .stallData(afterBytes: 500))) { (_, client) throws in
                let data = try client.passive()
                defer { RawClient.close(data) }
                #expect(try client.code("RETR big") == 150)
                try client.send("ABOR")
                #expect(try [client.reply().code, client.reply().code] == [426, 226])
            }
        }

        /// Whether the directory is made, and whether its reply comes, at each moment of the drop.
        @Test(arguments: [
            (FaultPlan.Moment.beforeDoing, false, false), (.beforeReply, true, false), (.afterReply, true, true),
        ])
        func dropsTheControlConnection(moment: FaultPlan.Moment, isMade: Bool, isAnswered: Bool) throws {
            let tree = MemoryTree()
            try withSession(tree, .vsftpd, .nth(1, "MKD", .dropControl(moment))) { (_, client) throws in
                try client.send("MKD new")
                #expect(try (client.rawLine() != nil) == isAnswered)
                #expect(try client.isClosed())
                #expect(tree.exists("new") == isMade)
            }
        }

        @Test func sendsGarbage() throws {
            let garbage: [UInt8] = [0xFF, 0x00, 0x32, 0x0A]
            try withSession(bigTree(), .vsftpd, .nth(1, "NOOP", .replyGarbage(garbage))) { (_, client) throws in
                try client.send("NOOP")
                #expect(try client.rawLine() == [0xFF, 0x00, 0x32])
                #expect(try client.code("NOOP") == 200)
            }
        }

        @Test func refusesDataConnections() throws {
            try withSession(
                bigTree(), .vsftpd, .nth(1, "EPSV", .refuseDataConnection), .nth(2, "RETR", .refuseDataConnection)
            ) {
                (_, client) throws in
                #expect(throws: RawClient.Failure.self) { _ = try client.passive() }
                #expect(try client.code("RETR a.txt") == 425)
                #expect(try client.download("RETR a.txt").codes == [425])
                #expect(try client.download("RETR a.txt").codes == [150, 226])
            }
        }

        @Test func namesAWrongAddress() throws {
            try withSession(bigTree(), .vsftpd, .every("PASV", .wrongPassiveAddress)) { (_, client) throws in
                #expect(try client.command("PASV").text.contains("(192,0,2,1,"))
            }
        }

        @Test func hangsButCanBeStopped() throws {
            try withSession(bigTree(), .vsftpd, .nth(1, "NOOP", .hang)) { (server, client) throws in
                try client.send("NOOP\r\nPWD")
                #expect(server.wait(until: .after(.seconds(10))) { $0.count(of: "PWD") == 1 })
                #expect(client.isSilent)
            }
        }

        @Test func omitsOrReplacesTheFinalReply() throws {
            try withSession(
                bigTree(), .vsftpd, .nth(1, "RETR", .noFinalReply), .nth(2, "RETR", .finalReply(250, "Fine"))
            ) { (_, client) throws in
                let data = try client.passive()
                #expect(try client.code("RETR a.txt") == 150)
                #expect(RawClient.readAll(data).bytes == bytes("hello\n"))
                RawClient.close(data)
                #expect(try client.code("NOOP") == 200, "nothing came in between")
                #expect(try client.download("RETR a.txt").codes == [150, 250])
            }
        }

        @Test func sendsByteByByte() throws {
            let tree = sampleTree()
            try withSession(tree, .vsftpd, .everyCommand(.oneByteAtATime)) { (_, client) throws in
                #expect(try client.command("PWD").lines == ["257 \"/\" is the current directory"])
                #expect(try client.download("RETR a.txt").bytes == bytes("hello\n"))
            }
        }

        @Test func delays() throws {
            // The clock is the machine's; what is certain is only that it cannot be too early.
            try withSession(bigTree(), .vsftpd, .nth(1, "NOOP", .delay(.milliseconds(30)))) { (_, client) throws in
                let before = Instant.now
                #expect(try client.code("NOOP") == 200)
                #expect(Instant.now.since(before) >= .milliseconds(30))
            }
        }

        @Test func changesWhileRunning() throws {
            try withSession(bigTree()) { (server, client) throws in
                #expect(try client.code("NOOP") == 200)
                server.setFaults(FaultPlan([.nth(1, "NOOP", .reply(500, "No"))]))
                #expect(try client.code("NOOP") == 500)
                server.setFaults(.none)
                #expect(try client.code("NOOP") == 200)
            }
        }

        @Test func fallsSilentAndSpeaksAgain() throws {
            try withSession(bigTree()) { (server, client) throws in
                server.pauseAnswering()
                try client.send("PWD\r\nMKD x")
                let newcomer = try RawClient(server)
                #expect(server.wait(until: .after(.seconds(10))) { $0.count(of: "MKD") == 1 && $0.connections == 2 })
                #expect(client.isSilent && newcomer.isSilent)
                #expect(server.transcript.entries.last?.replies == [])

                server.resumeAnswering()

                #expect(try [client.reply().code, client.reply().code] == [257, 257])
                #expect(try newcomer.reply().code == 220)
            }
        }

        @Test func dropsEverythingAtOnce() throws {
            let tree = MemoryTree()
            tree.addHole("huge", size: 5 << 30)
            try withSession(tree) { (server, client) throws in
                let idle = try RawClient(server, logsIn: true)
                let data = try client.passive()
                defer { RawClient.close(data) }
                #expect(try client.code("RETR huge") == 150)

                server.dropAllConnections()

                #expect(server.openConnections == 0)
                #expect(try client.rawLine() == nil)
                #expect(try idle.rawLine() == nil)
                #expect(RawClient.readAll(data).bytes.count < 5 << 30)
                #expect(try RawClient(server).reply().code == 220)
            }
        }
    }
}
