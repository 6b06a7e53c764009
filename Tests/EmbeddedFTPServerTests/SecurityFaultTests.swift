import Testing
import Threading

@testable import EmbeddedFTPServer

extension Servers {
    /// What can go wrong with TLS goes wrong when it is told to.
    @Suite(.enabled(if: isInstalled("python3"), "python3 is not installed"))
    struct SecurityFaults {
        private func run(
            _ tree: MemoryTree = sampleTree(), _ faults: FaultPlan.Rule..., newest: String = "TLSv1.3",
            change: (inout TLSPolicy) -> Void = { _ in }, script: String
        ) throws -> (output: String, Transcript) {
            var policy = try TLSPolicy(.explicit)
            change(&policy)
            return try withSecureServer(
                tree, policy, change: { $0.faults = FaultPlan(faults) }
            ) { (server) throws in
                (try SecureClient.run(server, policy, newest: newest, script), server.transcript)
            }
        }

        @Test func `bytes follow the reply to AUTH in the clear`() throws {
            let policy = try TLSPolicy(.explicit)
            let fault = FaultPlan.Rule.nth(1, "AUTH", .appendToReply(bytes("230 Injected\r\n")))
            try withSecureServer(MemoryTree(), policy, fault) { (server) throws in
                let client = try RawClient(server)
                _ = try client.reply()
                #expect(try client.code("AUTH TLS") == 234)
                #expect(try client.reply() == RawClient.Reply(code: 230, lines: ["230 Injected"]))
            }
        }

        @Test func `what a client sends together with AUTH is not obeyed`() throws {
            let tree = sampleTree()
            let (output, transcript) = try run(
                tree,
                script: """
                    c = Client(); c.sock.sendall(b'AUTH TLS\\r\\nUSER joe\\r\\n'); print(outcome(c.getresp))
                    c.sock = c.context.wrap_socket(c.sock, server_hostname=host); c.file = c.sock.makefile('r')
                    print(outcome(lambda: c.sendcmd('PASS secret')), outcome(lambda: c.sendcmd('USER joe')))
                    """)
            #expect(output == "234\n503 331", "\(transcript)")
        }

        @Test(arguments: ["TLSv1.2", "TLSv1.3"])
        func `the data ends without close_notify`(newest: String) throws {
            let (output, _) = try run(
                sampleTree(), .nth(1, "RETR", .omitCloseNotify), newest: newest,
                script: """
                    c = Client().log_in(); connection = c.transfercmd('RETR a.txt'); print(connection.recv(100))
                    print(outcome(lambda: connection.recv(100)), outcome(c.getresp))
                    """)
            #expect(output == "b'hello\\n'\nSSLEOFError 226")
        }

        /// Python calls both endings by the same name.
        @Test(arguments: [FaultPlan.Ending.close, .reset])
        func `the data is cut within a record`(ending: FaultPlan.Ending) throws {
            let tree = MemoryTree()
            tree.addPattern("big", size: 1_000_000)
            let (output, transcript) = try run(
                tree, .nth(1, "RETR", .cutRecord(afterBytes: 100_000, by: ending)),
                script: """
                    c = Client().log_in(); connection = c.transfercmd('RETR big'); got = 0
                    def read():
                        global got
                        while part := connection.recv(65536): got += len(part)
                    print(outcome(read), got, outcome(c.getresp))
                    """)
            #expect(output == "SSLEOFError 100000 426")
            #expect(transcript.bytesSent == 100_000)
        }

        @Test func `a handshake stalls`() throws {
            let (output, transcript) = try run(
                sampleTree(), .nth(1, "RETR", .stallHandshake), .nth(2, FaultPlan.handshake, .stallHandshake),
                script: """
                    c = Client().log_in()
                    connection, _ = ftplib.FTP.ntransfercmd(c, 'RETR a.txt')
                    connection.settimeout(0.2)
                    print(outcome(lambda: c.context.wrap_socket(connection, server_hostname=host)))
                    connection.close(); print(outcome(c.getresp))
                    print(outcome(lambda: c.get('a.txt').decode()))
                    d = Client(); d.sock.settimeout(0.2); print(outcome(d.auth))
                    """)
            #expect(output == "TimeoutError\n522\nhel\nTimeoutError", "\(transcript)")
        }

        /// Servers of this kind answer 150 only to a client that has begun the handshake before.
        @Test(arguments: ["TLSv1.2", "TLSv1.3"])
        func `the handshake comes before the 150`(newest: String) throws {
            let (output, transcript) = try run(
                sampleTree(), .every("RETR", .handshakeBeforeOpening), newest: newest,
                script: """
                    c = Client().log_in(); target = c.makepasv(); connection = socket.create_connection(target, 10)
                    c.putcmd('RETR a.txt'); c.sock.settimeout(0.2); print(outcome(lambda: c.sock.recv(1)))
                    c.sock.settimeout(10)
                    connection = c.context.wrap_socket(connection, server_hostname=host, session=c.sock.session)
                    print(c.sock.recv(3).decode(), connection.recv(100))
                    """)
            #expect(output == "TimeoutError\n150 b'hello\\n'", "\(transcript)")
        }

        @Test(arguments: ["TLSv1.2", "TLSv1.3"])
        func `a session is not resumed once`(newest: String) throws {
            let (output, transcript) = try run(
                sampleTree(), .nth(2, "RETR", .refuseResumption), newest: newest,
                change: { $0.requiresSessionReuse = true },
                script: "c = Client().log_in(); [print(outcome(lambda: c.get('a.txt').decode())) for _ in range(3)]")
            #expect(output == "hel\n522\nhel")
            #expect(transcript.dataProtections.map(\.resumption) == [.sameConnection, .none, .sameConnection])
        }

        @Test func `everything leaves byte by byte`() throws {
            let (output, _) = try run(
                sampleTree(), .everyCommand(.oneByteAtATime),
                script: "c = Client().log_in(); print(len(c.get('a.txt')), len(c.nlst()))")
            #expect(output == "6 6")
        }

        @Test func `a client that is no TLS client is dropped`() throws {
            let policy = try TLSPolicy(.implicit)
            try withSecureServer(MemoryTree(), policy) { (server) throws in
                let client = try RawClient(server)
                try client.send("USER joe")
                #expect(try client.isClosed())
                #expect(server.wait(until: .after(.seconds(5))) { !$0.protections.isEmpty })
                #expect(server.transcript.protections.first?.failure != nil)
                #expect(server.transcript.protections.first?.version == nil)
            }
        }

        @Test func `stops while handshakes wait`() throws {
            let policy = try TLSPolicy(.implicit)
            try withSecureServer(MemoryTree(), policy) { (server) throws in
                let silent = try RawClient(server)
                #expect(server.wait(until: .after(.seconds(5))) { $0.connections == 1 })
                server.stop()
                #expect(try silent.isClosed())
            }
        }
    }
}
