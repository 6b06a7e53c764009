import TestSupport
import Testing

extension Mounts {
    /// Names in other character sets, on the real servers; what is in the server's own directory is compared as bytes.
    @Suite struct Charsets {
        /// A set, and names in it: as Linux shows them, and their bytes on the server in the notation of bash.
        struct Row: Sendable, CustomTestStringConvertible {
            let server: TestServer.Kind
            let set: String
            /// A directory, a file in it, and what the file is renamed to.
            let local: [String]
            let wire: [String]

            var testDescription: String { "\(server): \(set)" }

            static let all: [Row] = TestServer.Kind.available.flatMap { server in
                [
                    // 0xFF, which TELNET doubles, is the capital hard sign.
                    Row(
                        server: server, set: "KOI8-R", local: ["Каталог", "ПодЪезд.txt", "новый файл"],
                        wire: [
                            #"\xeb\xc1\xd4\xc1\xcc\xcf\xc7"#, #"\xf0\xcf\xc4\xff\xc5\xda\xc4.txt"#,
                            #"\xce\xcf\xd7\xd9\xca \xc6\xc1\xca\xcc"#,
                        ]),
                    server == .pureFTPd ? withoutBackslash("GBK", server) : gbk(server),
                    server == .pureFTPd ? withoutBackslash("SHIFT_JIS", server) : shiftJIS(server),
                ]
            }

            /// Second bytes that are a backslash, a bar and a bracket in ASCII.
            private static func gbk(_ server: TestServer.Kind) -> Row {
                Row(
                    server: server, set: "GBK", local: ["中文目录", "乗.txt", "亅乗 羀"],
                    wire: [
                        #"\xd6\xd0\xce\xc4\xc4\xbf\xc2\xbc"#, #"\x81\x5c.txt"#, #"\x81\x7c\x81\x5c \xc1\x5b"#,
                    ])
            }

            private static func shiftJIS(_ server: TestServer.Kind) -> Row {
                Row(
                    server: server, set: "SHIFT_JIS", local: ["表示", "ソース.txt", "ポ能予 ゼ"],
                    wire: [
                        #"\x95\x5c\x8e\xa6"#, #"\x83\x5c\x81\x5b\x83\x58.txt"#, #"\x83\x7c\x94\x5c\x97\x5c \x83\x5b"#,
                    ])
            }

            /// Pure-FTPd takes no backslash, also not as the second byte of a character.
            private static func withoutBackslash(_ set: String, _ server: TestServer.Kind) -> Row {
                set == "GBK"
                    ? Row(
                        server: server, set: set, local: ["中文目录", "一.txt", "亅 羀"],
                        wire: [
                            #"\xd6\xd0\xce\xc4\xc4\xbf\xc2\xbc"#, #"\xd2\xbb.txt"#, #"\x81\x7c \xc1\x5b"#,
                        ])
                    : Row(
                        server: server, set: set, local: ["日本", "ミ.txt", "ポ ゼ"],
                        wire: [#"\x93\xfa\x96\x7b"#, #"\x83\x7e.txt"#, #"\x83\x7c \x83\x5b"#])
            }

            /// The bytes of a path on the server as a word of bash.
            func path(_ names: Int...) -> String { "$'" + names.map { wire[$0] }.joined(separator: "/") + "'" }
            /// The same as Linux shows it.
            func shown(_ names: Int...) -> String { "'" + names.map { local[$0] }.joined(separator: "/") + "'" }
        }

        /// The names of the server's directory in hexadecimal figures, sorted.
        static let hexOfNames = "find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort | od -An -v -tx1"

        @Test(arguments: Row.all)
        func `are read, written, listed, renamed and removed`(_ row: Row) throws {
            let mounted = try Mounted(
                row.server,
                given: "mkdir \(row.path(0)); echo text >\(row.path(0, 1)); ln -s \(row.path(1)) \(row.path(0))/link",
                options: ["charset=\(row.set)"])
            // pyftpdlib, told to keep such bytes, cannot say them in a reply, as MKD and MFMT do: it does what it is told, and
            // answers 501.
            let isDumb = row.server == .pyftpdlib
            let (made, madeThere) = isDumb ? ("made", "made") : (row.shown(2), row.path(2))
            let outcome = try mounted.run(
                """
                test "$(ls)" = \(row.shown(0))
                test "$(ls \(row.shown(0)) | grep -v link)" = \(row.shown(1))
                # pyftpdlib shows where links lead, and not that they are links.
                if test -L \(row.shown(0))/link; then test "$(readlink \(row.shown(0))/link)" = \(row.shown(1)); fi
                test "$(cat \(row.shown(0, 1)))" = text
                echo more >>\(row.shown(0, 1))
                mv \(row.shown(0, 1)) \(row.shown(0, 2))
                echo second >\(row.shown(1))
                mkdir \(made)
                cp \(row.shown(1)) \(made)/\(row.shown(0))
                rm \(row.shown(0))/link
                touch -d '2020-01-02 03:04:05 UTC' \(isDumb ? made : row.shown(1))
                """)
            #expect(outcome.succeeded, "\(outcome)\(mounted.mount.log())")
            let compared = try mounted.run(
                """
                cd "$OWN"
                printf '%s\\n' \(row.path(0)) \(row.path(0, 2)) \(row.path(1)) \(madeThere) \(madeThere)/\(row.path(0)) |
                    LC_ALL=C sort | od -An -v -tx1 >"$OWN.expected"
                \(Self.hexOfNames) | diff - "$OWN.expected"
                test "$(cat \(row.path(0, 2)))" = "$(printf 'text\\nmore')"
                test "$(cat \(madeThere)/\(row.path(0)))" = second
                """)
            #expect(compared.succeeded, "\(compared)\(mounted.mount.log())")
            let removed = try mounted.run(
                "rm -r \(row.shown(0)) \(row.shown(1)) \(made); test -z \"$(ls -A \"$OWN\")\"; rm -f \"$OWN.expected\""
            )
            #expect(removed.succeeded, "\(removed)\(mounted.mount.log())")
        }

        @Test(arguments: Row.all)
        func `without the option are bytes`(_ row: Row) throws {
            let mounted = try Mounted(row.server, given: "mkdir \(row.path(0)); echo text >\(row.path(0, 1))")
            let outcome = try mounted.run(
                """
                diff <(\(Self.hexOfNames)) <(cd "$OWN"; \(Self.hexOfNames))
                test "$(cat \(row.path(0, 1)))" = text
                echo second >\(row.path(1))
                mv \(row.path(0, 1)) \(row.path(0, 2))
                diff <(\(Self.hexOfNames)) <(cd "$OWN"; \(Self.hexOfNames))
                test -e "$OWN"/\(row.path(0, 2))
                rm -r \(row.path(0)) \(row.path(1))
                test -z "$(ls -A "$OWN")"
                """)
            #expect(outcome.succeeded, "\(outcome)\(mounted.mount.log())")
        }

        @Test(arguments: TestServer.Kind.available)
        func `bytes that are no characters are reachable, and what the set has not is refused`(
            _ kind: TestServer.Kind
        ) throws {
            // A first byte without a second; two names that would be one if both were shown by a question mark.
            let mounted = try Mounted(
                kind, given: #"echo one >$'a\x95'; echo two >$'a\x83'; echo three >$'\xff\xfe'"#,
                options: ["charset=SHIFT_JIS"])
            let outcome = try mounted.run(
                #"""
                test "$(ls | wc -l)" = 3
                # U+EF95, U+EF83, U+EFFF, U+EFFE.
                test "$(cat $'a\xee\xbe\x95')" = one
                test "$(cat $'a\xee\xbe\x83')" = two
                mv $'\xee\xbf\xbf\xee\xbf\xbe' $'\xee\xbf\xbf\xee\xbf\xbe.old'
                rm $'a\xee\xbe\x95'
                # An e with an accent, which Shift-JIS does not have.
                if echo no >$'\xc3\xa9'; then exit 1; fi
                test "$(cd "$OWN"; ls -A | LC_ALL=C sort | od -An -v -tx1 | tr -d ' \n')" = 61830afffe2e6f6c640a
                """#)
            #expect(outcome.succeeded, "\(outcome)\(mounted.mount.log())")
            #expect(outcome.errors.contains("Invalid argument"), "\(outcome)")
            #expect(mounted.mount.log().contains("cannot be written in SHIFT_JIS"))
        }

        @Test func `a name that Pure-FTPd refuses is refused at once`() throws {
            guard TestServer.Kind.available.contains(.pureFTPd) else { return }
            let mounted = try Mounted(.pureFTPd, given: "", options: ["charset=GBK"])
            try mounted.expect(Refusals.Row(command: "echo new >乗.txt", error: "Invalid argument"))
            try mounted.expect(Refusals.Row(command: #"mkdir 'a\b'"#, error: "Invalid argument"))
            #expect(try mounted.run("ls -A").output == "")
        }

        @Test func `a set that nobody knows is an error with a remedy`() throws {
            let directory = try TemporaryDirectory("charset")
            let outcome = try Shell.run([
                Repository.program, "ftp://127.0.0.1:1/", directory.path, "-o", "charset=KLINGON",
            ])
            #expect(outcome.exit == .code(1))
            #expect(outcome.errors.contains("KLINGON") && outcome.errors.contains("iconv -l"), "\(outcome)")
        }
    }
}
