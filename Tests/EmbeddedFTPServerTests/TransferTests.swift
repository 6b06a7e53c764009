@preconcurrency import Glibc
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import EmbeddedFTPServer

extension Servers {
    /// Files on their way, in both directions.
    @Suite struct Transfers {
        @Test func readsFromAnOffset() throws {
            let tree = MemoryTree()
            tree.addPattern("big", size: 3_000_001)
            let all = try #require(tree.contents(of: "big"))
            try withSession(tree) { (_, client) throws in
                #expect(try client.download("RETR big").bytes == all)
                #expect(try client.code("REST 2999000") == 350)
                #expect(try client.download("RETR big").bytes == Array(all[2_999_000...]))
                #expect(try client.download("RETR big").bytes == all, "REST holds for one transfer")
            }
        }

        @Test(arguments: [(Dialect.vsftpd, 150), (.proftpd, 554), (.pureftpd, 554)])
        func handlesRestartBeyondTheEnd(dialect: Dialect, code: Int) throws {
            try withSession(sampleTree(), dialect) { (_, client) throws in
                _ = try client.command("REST 7")
                let download = try client.download("RETR a.txt")
                #expect(download.codes[0] == code)
                #expect(download.bytes == [])
            }
        }

        /// RANG with what comes of it and of the RETR behind it, of `hello\n` (measured on ProFTPD 1.3.8).
        @Test(arguments: [
            ("1 3", 350, 150, "ell"), ("5 5", 350, 150, "\n"), ("0 0", 350, 150, "h"), ("0 5", 350, 150, "hello\n"),
            ("1 6", 350, 554, ""), ("50 60", 350, 554, ""), ("1 0", 350, 150, "hello\n"), ("3 1", 501, 150, "hello\n"),
            ("x y", 501, 150, "hello\n"), ("1", 501, 150, "hello\n"),
        ])
        func readsARange(argument: String, range: Int, retrieve: Int, content: String) throws {
            try withSession(sampleTree(), .proftpd) { (_, client) throws in
                #expect(try client.code("RANG \(argument)") == range)
                let download = try client.download("RETR a.txt")
                #expect(download.codes[0] == retrieve)
                #expect(download.bytes == bytes(content))
                #expect(try client.download("RETR a.txt").bytes == bytes("hello\n"), "it holds for one transfer")
            }
        }

        /// What each way of writing leaves of `0123456789`.
        @Test(arguments: [
            (Dialect.vsftpd, nil, "STOR f", "ab"), (.vsftpd, nil, "APPE f", "0123456789ab"),
            (.vsftpd, 4, "STOR f", "0123ab6789"), (.vsftpd, 10, "STOR f", "0123456789ab"),
            (.proftpd, 4, "STOR f", "0123ab6789"), (.pureftpd, 4, "STOR f", "0123ab"),
            (.pureftpd, nil, "APPE f", "0123456789ab"),
        ])
        func writes(dialect: Dialect, restart: Int?, command: String, content: String) throws {
            let tree = MemoryTree()
            tree.add("f", text: "0123456789")
            try withSession(tree, dialect) { (_, client) throws in
                if let restart { _ = try client.command("REST \(restart)") }
                #expect(try client.upload(command, bytes("ab")) == [150, 226])
                #expect(tree.contents(of: "f") == bytes(content))
            }
        }

        @Test func makesFilesAlsoEmptyOnes() throws {
            let tree = MemoryTree()
            tree.setNow(Timestamp(seconds: 1_000_000_000))
            try withSession(tree) { (_, client) throws in
                #expect(try client.upload("STOR empty", []) == [150, 226])
                #expect(try client.upload("APPE log", bytes("x")) == [150, 226])
                #expect(try client.upload("STOR none/x", bytes("x")) == [553])
            }
            #expect(tree.contents(of: "empty") == [])
            #expect(tree.contents(of: "log") == bytes("x"))
            #expect(tree.attributes(of: "log")?.modified == Timestamp(seconds: 1_000_000_000))
        }

        @Test func saysWhenTheDiskIsFull() throws {
            let tree = MemoryTree()
            tree.setFreeSpace(1000)
            try withSession(tree, .proftpd) { (_, client) throws in
                #expect(try client.upload("STOR small", [UInt8](repeating: 1, count: 1000)) == [150, 226])
                #expect(try client.upload("STOR big", [UInt8](repeating: 1, count: 1001)) == [150, 552])
            }
        }

        @Test func servesHugeFilesAndSizesThatLie() throws {
            let tree = MemoryTree()
            let size: Int64 = 5 << 30
            tree.addPattern("huge", size: size)
            tree.add("liar", text: "four")
            tree.claimSize(40, of: "liar")
            try withSession(tree) { (_, client) throws in
                #expect(try client.command("SIZE huge").text == "\(size)")
                _ = try client.command("REST \(size - 3)")
                #expect(
                    try client.download("RETR huge").bytes == (size - 3..<size).map { MemoryTree.patternByte(at: $0) })
                _ = try client.command("REST \(size - 2)")
                #expect(try client.upload("STOR huge", bytes("end")) == [150, 226])
                #expect(tree.size(of: "huge") == size + 1)
                #expect(tree.contents(of: "huge", at: size - 3, count: 9)?.dropFirst() == bytes("end")[...])

                #expect(try client.command("SIZE liar").text == "40")
                #expect(try client.download("RETR liar").bytes == bytes("four"))
            }
        }

        @Test func connectsToTheClient() throws {
            try withSession(sampleTree()) { (_, client) throws in
                for command in ["PORT 127,0,0,1,", "EPRT |1|127.0.0.1|"] {
                    let address = try #require(SocketAddress("127.0.0.1", port: 0))
                    let listener = try Socket.listen(at: address, backlog: 1)
                    defer { try? listener.close() }
                    let port = try #require(Socket.localAddress(of: listener)?.port)
                    let end = command.hasPrefix("PORT") ? "\(port >> 8),\(port & 0xFF)" : "\(port)|"
                    #expect(try client.code(command + end) == 200)
                    #expect(try client.code("RETR a.txt") == 150)
                    var state = pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)
                    #expect(poll(&state, 1, 10_000) == 1)
                    let (data, _) = try #require(try Socket.accept(listener))
                    defer { try? data.close() }
                    state.fd = data.rawValue
                    #expect(poll(&state, 1, 10_000) == 1)
                    #expect(RawClient.readAll(data.rawValue).bytes == bytes("hello\n"))
                    #expect(try client.reply().code == 226)
                }
            }
        }

        @Test func keepsTheArmedConnectionThroughOtherCommands() throws {
            try withSession(sampleTree()) { (_, client) throws in
                let data = try client.passive()
                defer { RawClient.close(data) }
                for command in ["NOOP", "SIZE a.txt", "MKD x", "RNFR a.txt", "RNTO b.txt", "REST 1"] {
                    #expect(try client.code(command) < 400)
                }
                #expect(try client.code("RETR b.txt") == 150)
                #expect(RawClient.readAll(data).bytes == bytes("ello\n"))
                #expect(try client.reply().code == 226)
            }
        }

        @Test func takesCommandsSentTogether() throws {
            try withSession(sampleTree()) { (_, client) throws in
                let data = try client.passive()
                defer { RawClient.close(data) }
                try client.send("REST 2\r\nRETR a.txt\r\nSIZE a.txt")
                #expect(try client.reply().code == 350)
                #expect(try client.reply().code == 150)
                #expect(RawClient.readAll(data).bytes == bytes("llo\n"))
                #expect(try client.reply().code == 226)
                #expect(try client.reply().code == 213)
            }
        }

        // MARK: Ending early

        /// Codes of the replies when the client sends ABOR while a transfer runs, and then NOOP.
        @Test(arguments: [(Dialect.proftpd, [426, 226, 200]), (.pureftpd, [426, 226, 200]), (.iis, [426, 226, 200])])
        func hearsAbortDuringATransfer(dialect: Dialect, codes: [Int]) throws {
            let tree = MemoryTree()
            tree.addHole("huge", size: 5 << 30)
            try withSession(tree, dialect) { (_, client) throws in
                let data = try client.passive()
                defer { RawClient.close(data) }
                #expect(try client.code("RETR huge") < 200)
                // As RFC 959 §4.1.3 wants it, with the TELNET signals in front.
                try client.send([0xFF, 0xF4, 0xFF, 0xF2] + bytes("ABOR\r\nNOOP\r\n"))
                #expect(try (1...3).map { _ in try client.reply().code } == codes)
            }
        }

        /// Codes of the replies when the client closes the data connection early and then sends NOOP (measured).
        @Test(arguments: [(Dialect.vsftpd, [426, 200]), (.proftpd, [426, 200]), (.pureftpd, [150, 200])])
        func noticesThatTheClientHungUp(dialect: Dialect, codes: [Int]) throws {
            let tree = MemoryTree()
            tree.addHole("huge", size: 5 << 30)
            try withSession(tree, dialect) { (_, client) throws in
                let data = try client.passive()
                #expect(try client.code("RETR huge") == 150)
                var buffer = [UInt8](repeating: 0, count: 1000)
                #expect(recv(data, &buffer, buffer.count, 0) == 1000)
                RawClient.close(data)
                try client.send("NOOP")
                #expect(try [client.reply().code, client.reply().code] == codes)
            }
        }

        @Test func hearsAbortTooLateLikeVsftpd() throws {
            let tree = MemoryTree()
            tree.addPattern("big", size: 3_000_000)
            try withSession(tree) { (server, client) throws in
                let data = try client.passive()
                defer { RawClient.close(data) }
                #expect(try client.code("RETR big") == 150)
                try client.send("ABOR")
                #expect(server.wait(until: .after(.seconds(10))) { $0.count(of: "ABOR") == 1 })
                #expect(RawClient.readAll(data).bytes.count == 3_000_000)
                #expect(try [client.reply().code, client.reply().code] == [226, 225])
            }
        }

        @Test func givesUpOnAClientThatNeverConnects() throws {
            try withSession(sampleTree(), change: { $0.dataTimeout = .milliseconds(50) }) { (_, client) throws in
                #expect(try client.code("PASV") == 227)
                #expect(try client.code("RETR a.txt") == 425)
                #expect(try client.code("NOOP") == 200)
            }
        }
    }
}
