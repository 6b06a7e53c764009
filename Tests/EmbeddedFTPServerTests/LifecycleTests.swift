@preconcurrency import Glibc
import SystemPackage
import Testing
import Threading

@testable import EmbeddedFTPServer

extension Servers {
    /// Starting, stopping, limits, and what is left behind.
    @Suite struct Lifecycle {
        @Test func stopsInTheMiddleOfEverything() throws {
            let tree = sampleTree()
            tree.addHole("huge", size: 5 << 30)
            let server = try EmbeddedFTPServer(
                .init(storage: .memory(tree), faults: FaultPlan([.every("NOOP", .hang)])))
            try server.start()
            try server.start()
            let (idle, hanging, loading, waiting) = try (
                RawClient(server, logsIn: true), RawClient(server, logsIn: true), RawClient(server, logsIn: true),
                RawClient(server, logsIn: true)
            )
            try hanging.send("NOOP")
            let data = try loading.passive()
            defer { RawClient.close(data) }
            #expect(try loading.code("RETR huge") == 150)
            #expect(try waiting.code("PASV") == 227)
            try waiting.send("RETR huge")
            #expect(server.wait(until: .after(.seconds(10))) { $0.count(of: "RETR") == 2 })

            server.stop()
            server.stop()

            for client in [idle, hanging, loading, waiting] { #expect(try client.rawLine() == nil) }
            #expect(throws: RawClient.Failure.self) { _ = try RawClient(server) }
            #expect(server.openConnections == 0)
        }

        @Test func stopsWithoutEverHavingStarted() throws {
            let server = try EmbeddedFTPServer(.init(storage: .memory(MemoryTree())))
            server.stop()
            try server.start()
            #expect(throws: RawClient.Failure.self) { _ = try RawClient(server) }
        }

        @Test func stopsWhenForgotten() throws {
            var server: EmbeddedFTPServer? = try EmbeddedFTPServer(.init(storage: .memory(sampleTree())))
            try server?.start()
            let client = try RawClient(#require(server), logsIn: true)
            server = nil
            #expect(try client.rawLine() == nil)
        }

        /// In a process of its own, where nobody else opens anything.
        @Test func leavesNoThreadAndNoDescriptor() async {
            await #expect(processExitsWith: .success) {
                func entries(_ directory: String) -> Int {
                    guard let stream = opendir(directory) else { exit(2) }
                    defer { closedir(stream) }
                    var count = 0
                    while readdir(stream) != nil { count += 1 }
                    return count
                }
                try withTemporaryDirectory { (path) throws in
                    // In here, so that it is gone before the exit: what is then held by nobody but this is a leak to sanitizers.
                    let tree = sampleTree()
                    tree.addHole("huge", size: 5 << 30)
                    _ = try run(["truncate", "-s", "5G", "\(path)/huge"])
                    let (threads, descriptors) = (entries("/proc/self/task"), entries("/proc/self/fd"))
                    for storage in [EmbeddedFTPServer.Configuration.Storage.memory(tree), .directory(FilePath(path))] {
                        let server = try EmbeddedFTPServer(.init(storage: storage))
                        try server.start()
                        for _ in 0..<5 {
                            let client = try RawClient(server, logsIn: true)
                            _ = try client.download("LIST")
                            _ = try client.upload("STOR new", [1, 2, 3])
                            let data = try client.passive()
                            guard try client.code("RETR huge") == 150 else { exit(5) }
                            RawClient.close(data)
                            _ = try client.reply()
                            RawClient.close(try client.passive())
                        }
                        server.stop()
                    }
                    if entries("/proc/self/task") > threads { exit(3) }
                    if entries("/proc/self/fd") != descriptors { exit(4) }
                }
                exit(0)
            }
        }

        @Test(arguments: [(Dialect.vsftpd, 421), (.pureftpd, 421), (.minimal, 421)])
        func turnsAwayAtTheGreeting(dialect: Dialect, code: Int) throws {
            try withServer(sampleTree(), dialect, change: { $0.maximumConnections = 2 }) { (server) throws in
                let first = try RawClient(server, logsIn: true)
                let second = try RawClient(server, logsIn: true)
                let third = try RawClient(server)
                #expect(try third.reply().code == code)
                #expect(try third.isClosed())

                #expect(try first.code("QUIT") == 221)
                #expect(try first.isClosed())
                #expect(try RawClient(server).reply().code == 220)
                #expect(try second.code("NOOP") == 200)
            }
        }

        @Test func turnsAwayBehindThePassword() throws {
            try withServer(sampleTree(), .proftpd, change: { $0.maximumConnections = 1 }) { (server) throws in
                let first = try RawClient(server, logsIn: true)
                let second = try RawClient(server)
                #expect(try second.reply().code == 220)
                #expect(try second.code("USER anonymous") == 331)
                #expect(try second.code("PASS x") == 530)
                #expect(try second.isClosed())
                #expect(try first.code("NOOP") == 200)
            }
        }

        @Test func closesWhatIsIdle() throws {
            try withServer(sampleTree(), change: { $0.idleTimeout = .milliseconds(20) }) { (server) throws in
                let client = try RawClient(server)
                #expect(try client.reply().code == 220)
                #expect(try client.reply().code == 421)
                #expect(try client.isClosed())
            }
        }

        @Test func boundsLines() throws {
            try withSession(sampleTree()) { (server, client) throws in
                for length in [8_400, 1_000_000] {
                    let line = bytes("SIZE ") + [UInt8](repeating: 0x61, count: length)
                    try client.send(line + bytes("\r\nNOOP\r\n"))
                    #expect(try client.reply().code == 500)
                    #expect(try client.reply().code == 200)
                }
                #expect(server.transcript.entries.allSatisfy { ($0.argument?.count ?? 0) < 10_000 })
            }
        }

        @Test func boundsTheTranscript() throws {
            try withSession(change: { $0.transcriptCapacity = 10 }) { (server, client) throws in
                for _ in 0..<50 { _ = try client.command("NOOP") }
                #expect(server.transcript.entries.count <= 20)
                #expect(server.transcript.entries.count >= 10)
                #expect(server.transcript.entries.last?.replies == [200])
            }
        }

        @Test func servesADirectoryUntilItIsTold() throws {
            let isDone = Cancellation()
            var served = false
            try EmbeddedFTPServer.serve(.init(storage: .directory("/usr"), isReadOnly: true), until: isDone) { port in
                served = port != 0
                isDone.cancel()
            }
            #expect(served)
        }

        @Test func saysWhyItCannotServe() {
            #expect(throws: EmbeddedFTPServer.StartFailure.badAddress("nowhere")) {
                _ = try EmbeddedFTPServer(.init(storage: .memory(MemoryTree()), address: "nowhere"))
            }
            #expect(throws: EmbeddedFTPServer.StartFailure.cannotOpen("/none", .noSuchFileOrDirectory)) {
                _ = try EmbeddedFTPServer(.init(storage: .directory("/none")))
            }
            #expect(throws: EmbeddedFTPServer.StartFailure.cannotListen(.addressInUse)) {
                let first = try EmbeddedFTPServer(.init(storage: .memory(MemoryTree())))
                _ = try EmbeddedFTPServer(.init(storage: .memory(MemoryTree()), port: first.port))
            }
        }
    }

    /// What the transcript says.
    @Suite struct Transcripts {
        @Test func tellsEverythingInOrder() throws {
            try withSession(sampleTree()) { (server, client) throws in
                let other = try RawClient(server, logsIn: true)
                let mark = server.transcript.mark
                _ = try client.download("RETR a.txt")
                _ = try other.upload("STOR b", [1, 2, 3])

                let all = server.transcript
                #expect(all.commands(on: 1) == ["USER anonymous", "PASS ****", "TYPE I", "EPSV", "RETR a.txt"])
                #expect(all.commands(on: 2) == ["USER anonymous", "PASS ****", "TYPE I", "EPSV", "STOR b"])
                #expect(all.connections == 2)

                let later = all.since(mark)
                #expect(later.verbs == ["EPSV", "RETR", "EPSV", "STOR"])
                #expect(later.count(of: "RETR") == 1)
                #expect(later.entries.map(\.replies) == [[229], [150, 226], [229], [150, 226]])
                #expect((later.bytesSent, later.bytesReceived, later.dataConnections) == (6, 3, 2))
                #expect(later.connections == 0)
                #expect("\(later)".hasPrefix("#1 EPSV -> 229\n#1 RETR a.txt -> 150 226\n"))
            }
        }
    }
}
