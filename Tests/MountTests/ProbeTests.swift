import FoundationEssentials
import TestSupport
import Testing

extension Mounts {
    /// `ftpfs probe`: what it says of servers whose abilities are known, and that it leaves nothing behind.
    @Suite struct Probing {
        /// The JSON of a finding.
        struct Finding: Decodable {
            enum Value: Equatable, CustomStringConvertible {
                case yes, no, unknown
                case text(String)
                case number(Int64)

                var description: String {
                    switch self {
                    case .yes: "true"
                    case .no: "false"
                    case .unknown: "null"
                    case .text(let text): text
                    case .number(let number): String(number)
                    }
                }
            }

            let value: Value
            let note: String?

            private enum Key: CodingKey { case value, note }

            init(from decoder: any Decoder) throws {
                let members = try decoder.container(keyedBy: Key.self)
                note = try members.decodeIfPresent(String.self, forKey: .note)
                if try members.decodeNil(forKey: .value) {
                    value = .unknown
                } else if let flag = try? members.decode(Bool.self, forKey: .value) {
                    value = flag ? .yes : .no
                } else if let number = try? members.decode(Int64.self, forKey: .value) {
                    value = .number(number)
                } else {
                    value = .text(try members.decode(String.self, forKey: .value))
                }
            }
        }

        /// What holds for all of them.
        static let common: [(String, Finding.Value)] = [
            ("connection.address", .text("127.0.0.1")), ("data.epsv", .yes), ("data.pasv", .yes), ("security.tls", .no),
            ("data.eprt", .yes), ("data.port", .yes),
            ("listing.writable", .yes), ("listing.argument", .yes), ("listing.time_zone", .number(0)),
            ("files.integrity", .yes), ("files.size", .yes), ("files.rest_read", .yes), ("files.append", .yes),
            ("files.empty", .yes), ("files.set_time", .yes), ("files.set_mode", .yes), ("files.rename_replaces", .yes),
            ("names.blank", .yes), ("names.pattern", .yes), ("names.utf8", .yes), ("names.telnet", .yes),
            ("names.long", .yes), ("limits.pipelining", .yes),
        ]

        /// What the servers differ in.
        static let particular: [TestServer.Kind: [(String, Finding.Value)]] = [
            .vsftpd: [("listing.method", .text("LIST -a")), ("files.rest_write", .yes), ("files.range", .no)],
            .proFTPD: [("listing.method", .text("MLSD")), ("files.rest_write", .yes), ("files.range", .yes)],
            // It cuts the file off behind what is written, and puts `_` for a blank at the end of a name.
            .pureFTPd: [
                ("listing.method", .text("MLSD")), ("files.rest_write", .no), ("names.outer_blank", .unknown),
            ],
            .pyftpdlib: [("listing.method", .text("MLSD")), ("files.rest_write", .yes), ("files.range", .no)],
        ]

        @Test(arguments: TestServer.Kind.real)
        func `says what a server can do, and leaves nothing there`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)

            let outcome = try probe(server, "--json")

            #expect(outcome.succeeded, "\(outcome)")
            let report = try JSONDecoder().decode([String: [String: Finding]].self, from: Data(outcome.output.utf8))
            for (path, expected) in Self.common + (Self.particular[kind] ?? []) {
                let names = path.split(separator: ".").map(String.init)
                let finding = report[names[0]]?[names[1]]
                #expect(finding?.value == expected, "\(path): \(finding?.note ?? "")")
            }
            for rate in ["upload", "download"] {
                guard case .number(1...) = report["rate"]?[rate]?.value else {
                    Issue.record("no rate of the \(rate)")
                    continue
                }
            }
            let left = try Shell.run("ls -A \"$ROOT\" | grep -c ftpfs-probe || true", ["ROOT": server.root])
            #expect(left.output == "0\n")
        }

        @Test(arguments: [TestServer.Kind.vsftpd, .proFTPD])
        func `says how connections are encrypted`(_ kind: TestServer.Kind) throws {
            let outcome = try probe(try TestServer(kind, .explicit), "-o tls=explicit,tls_verify=no --json")

            #expect(outcome.succeeded, "\(outcome)")
            let report = try JSONDecoder().decode([String: [String: Finding]].self, from: Data(outcome.output.utf8))
            let security = try #require(report["security"])
            #expect(security["reuse"]?.value == .yes, "\(outcome)")
            guard case .text(let version)? = security["tls"]?.value, case .text(let pin)? = security["pin"]?.value
            else {
                Issue.record("\(outcome)")
                return
            }
            #expect(version.hasPrefix("TLS 1."))
            #expect(pin.hasPrefix("sha256:"))
        }

        @Test func `finds the zone in which a server lists times`() throws {
            let outcome = try probe(try TestServer(.proFTPD, timeZone: "Asia/Kathmandu"), "--json")

            let report = try JSONDecoder().decode([String: [String: Finding]].self, from: Data(outcome.output.utf8))
            #expect(report["listing"]?["time_zone"]?.value == .number(20_700), "\(outcome)")
        }

        @Test func `counts the logins that a server allows`() throws {
            let server = try TestServer(.vsftpd, connectionsPerClient: 3)

            let outcome = try probe(server, "--json")

            let report = try JSONDecoder().decode([String: [String: Finding]].self, from: Data(outcome.output.utf8))
            #expect(report["limits"]?["connections"]?.value == .number(3), "\(outcome)")
        }

        @Test func `prints a table with headings`() throws {
            let outcome = try probe(try TestServer.shared(.proFTPD), "")

            #expect(outcome.succeeded, "\(outcome)")
            for text in ["The connection\n", "\nFiles\n", "  appending (APPE)  ", "MLSD"] {
                #expect(outcome.output.contains(text), "\(outcome)")
            }
            #expect(!outcome.output.contains("horse"))
        }

        @Test func `a server that is not there gives one line and the code of a mount`() throws {
            let outcome = try Shell.run("$FTPFS probe ftp://127.0.0.1:1/", ["FTPFS": Repository.program])

            #expect(outcome.exit == .code(32), "\(outcome)")
            #expect(outcome.output == "")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
        }

        private func probe(_ server: TestServer, _ flags: String) throws -> Shell.Outcome {
            try Shell.run(
                "$FTPFS probe ftp://$LOGIN@$HOST:$PORT/ \(flags)",
                [
                    "FTPFS": Repository.program, "LOGIN": server.user, "HOST": server.host,
                    "PORT": String(server.port), "FTPFS_PASSWORD": server.password,
                ])
        }
    }
}
