import SystemPackage
import Testing
import Threading

@testable import EmbeddedFTPServer

extension Servers {
    /// Clients that other people wrote find a server they can talk to.
    @Suite struct RealClients {
        /// Python's ftplib through most of its calls; prints what it sees.
        private static let script = """
            import ftplib, io, sys
            ftp = ftplib.FTP()
            ftp.connect(sys.argv[1], int(sys.argv[2]), timeout=10)
            ftp.login('joe', 'secret')
            ftp.set_pasv(sys.argv[3] == 'passive')
            ftp.mkd('new "dir"'); ftp.cwd('new "dir"'); print(ftp.pwd())
            ftp.storbinary('STOR f', io.BytesIO(b'0123456789'))
            ftp.storbinary('APPE f', io.BytesIO(b'ab'))
            ftp.storbinary('STOR f', io.BytesIO(b'XY'), rest=4)
            print(ftp.size('f'))
            parts = []; ftp.retrbinary('RETR f', parts.append); print(b''.join(parts).decode())
            parts = []; ftp.retrbinary('RETR f', parts.append, rest=9); print(b''.join(parts).decode())
            print(ftp.nlst())
            lines = []; ftp.retrlines('LIST', lines.append); print(len(lines), lines[0].split()[-1])
            if 'MLSD' in ftp.sendcmd('FEAT'):
                print([(n, f['type'], f.get('size')) for n, f in ftp.mlsd() if n not in ('.', '..')])
            ftp.rename('f', 'g'); ftp.delete('g'); ftp.cwd('/'); ftp.rmd('new "dir"')
            data = ftp.transfercmd('RETR huge'); data.recv(1000)
            if sys.argv[3] == 'passive':
                data.close()
                try: ftp.voidresp()
                except ftplib.error_temp as error: print(str(error)[:3])
            else:
                print(ftp.abort()[:3]); data.close(); print(ftp.getresp()[:3])
            try: ftp.cwd('none')
            except ftplib.error_perm as error: print(str(error)[:3])
            print(ftp.quit()[:3])
            """

        @Test(
            .enabled(if: isInstalled("python3"), "python3 is not installed"),
            arguments: [
                ("127.0.0.1", "passive", Dialect.vsftpd, "0123XY6789ab"),
                ("::1", "passive", .vsftpd, "0123XY6789ab"),
                ("127.0.0.1", "active", .proftpd, "0123XY6789ab"),
                ("::1", "active", .proftpd, "0123XY6789ab"),
                ("127.0.0.1", "passive", .filezilla, "0123XY6789ab"),
                ("127.0.0.1", "passive", .iis, "0123XY6789ab"),
            ])
        func servesPython(host: String, mode: String, dialect: Dialect, content: String) throws {
            let tree = sampleTree()
            tree.addHole("huge", size: 5 << 30)
            try withServer(
                tree, dialect,
                change: {
                    $0.address = host
                    $0.users = ["joe": "secret"]
                }
            ) { (server) throws in
                let result = try run(["python3", "-c", Self.script, host, "\(server.port)", mode])
                var expected = [
                    "/new \"dir\"", "\(content.utf8.count)", content, String(content.dropFirst(9)), "['f']", "1 f",
                ]
                if dialect.features.contains("MLSD") { expected.append("[('f', 'file', '\(content.utf8.count)')]") }
                expected += mode == "passive" ? ["426"] : ["426", "226"]
                expected += ["550", "221"]
                #expect(result.output == expected.joined(separator: "\n") + "\n", "\(server.transcript)")
                #expect(result.status == 0)
            }
        }

        @Test(.enabled(if: isInstalled("curl"), "curl is not installed"), arguments: Dialect.all)
        func servesCurl(dialect: Dialect) throws {
            let tree = sampleTree()
            tree.addPattern("big", size: 2_000_000)
            let all = try #require(tree.contents(of: "big"))
            try withServer(tree, dialect) { (server) throws in
                try withTemporaryDirectory { (directory) throws in
                    let (url, file) = ("ftp://127.0.0.1:\(server.port)", "\(directory)/big")
                    // A download that is continued, an upload into a new directory, and the listing of that.
                    // Without SIZE curl does not continue.
                    if !dialect.lacks.contains("SIZE") {
                        #expect(try run(["curl", "-sS", "-o", file, "-r", "0-999999", "\(url)/big"]).status == 0)
                    }
                    #expect(
                        try run(["curl", "-sS", "-o", file, "-C", "-", "\(url)/big"]).output == "",
                        "\(server.transcript)")
                    #expect(
                        try run(["curl", "-sS", "--ftp-create-dirs", "-T", file, "\(url)/x/y/copy"]).output == "",
                        "\(server.transcript)")
                    #expect(tree.contents(of: "x/y/copy") == all)
                    #expect(try run(["curl", "-sS", "-l", "\(url)/x/y/"]).output.contains("copy"))
                    #expect(try run(["curl", "-sS", "\(url)/none"]).status != 0)
                }
            }
        }

        @Test(.enabled(if: isInstalled("curl"), "curl is not installed"))
        func survivesAServerThatDisappears() throws {
            let tree = MemoryTree()
            tree.addPattern("big", size: 2_000_000)
            try withServer(tree, .vsftpd, .nth(1, "RETR", .cutData(afterBytes: 500_000))) { (server) throws in
                try withTemporaryDirectory { (directory) throws in
                    let arguments = [
                        "curl", "-sS", "-o", "\(directory)/big", "-C", "-", "ftp://127.0.0.1:\(server.port)/big",
                    ]
                    #expect(try run(arguments).status != 0)
                    #expect(try run(arguments).status == 0)
                    #expect(server.transcript.verbs.contains("REST"))
                    #expect(try run(["stat", "-c", "%s", "\(directory)/big"]).output == "2000000\n")
                }
            }
        }
    }
}
