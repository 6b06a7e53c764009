import Logging
import SystemPackage
import Testing

@testable import FTPMount

extension MountStatus {
    /// One with something of everything.
    static var example: MountStatus {
        MountStatus(
            mountPoint: "/mnt/ftp", source: "ftpes://ftp.example.com/pub", state: .serving, process: 4711,
            version: "0.1.0", uptime: 3725,
            server: Server(
                greeting: "ProFTPD Server ready.", features: ["EPSV", "MDTM", "MLST", "REST", "SIZE"],
                listingCommand: "MLSD", dataCommand: "EPSV", encryption: "TLS 1.3, TLS_AES_256_GCM_SHA384",
                pin: "sha256:00"),
            connections: [
                Connection(
                    id: 1, state: "reading", age: 12, command: "RETR /home/me/pub/films/a.mkv",
                    path: "/home/me/pub/films/a.mkv", bytes: 365_000_000, total: 730_000_000, rate: 30_416_666,
                    peer: "192.0.2.1:21", encryption: "TLS 1.3, TLS_AES_256_GCM_SHA384"),
                Connection(id: 2, state: "idle", age: 31, command: "MLSD /home/me/pub"),
                Connection(
                    id: 3, state: "writing", age: 1, command: "STOR /home/me/pub/b", path: "/home/me/pub/b",
                    bytes: 1_000_000, rate: 1_000_000),
                Connection(id: 4, state: "connecting"),
                Connection(id: 5, state: "listing", age: 0, isAhead: true, command: "MLSD /home/me/pub/c"),
            ], connectionLimit: 8, waiting: 2, received: 1_234_567_890, sent: 999,
            uploads: [
                Upload(path: "/b", state: .sending, done: 1_000_000, total: 4_000_000),
                Upload(path: "/c/d", state: .waiting, total: 12),
                Upload(
                    path: "/full", state: .failed, total: 1000, reason: "452 Insufficient storage space",
                    attempts: 3, retryIn: 70),
            ], uploadCount: 5, unsentBytes: 3_001_012,
            cache: Cache(
                contentBytes: 52_428_800, contentLimit: 67_108_864, names: 1, inodes: 12, handles: 3, streams: 1,
                spoolBytes: 4_001_012, spoolLimit: 10_000_000, spoolDirectory: "/var/cache/ftpfs/mount-AbCdEf"),
            faults: [
                FaultRing.Fault(time: 1, level: "notice", text: "[2] no connection: 421 too many", times: 3),
                FaultRing.Fault(
                    time: 2, level: "error",
                    text: "/full: not sent: 452 Insufficient storage space; its content is in /var/cache/ftpfs/x"),
            ], faultTotal: 4)
    }
}

/// The status of a mount as text, as JSON and for Prometheus.
@Suite("A status")
struct StatusTests {
    private func text(_ status: MountStatus, _ style: TerminalStyle = .plain) -> String {
        StatusText(style: style, clock: { "10:00:0\($0)" }).text(of: status)
    }

    @Test("is readable")
    func readable() {
        #expect(
            text(.example) == """
                ftpes://ftp.example.com/pub on /mnt/ftp
                  serving for 1 h 2 min; process 4711, ftpfs 0.1.0

                Server
                  greeting     ProFTPD Server ready.
                  encryption   TLS 1.3, TLS_AES_256_GCM_SHA384
                  commands     listings by MLSD, data connections by EPSV
                  features     EPSV MDTM MLST REST SIZE
                  transferred  1.2 GB read, 999 bytes written

                Connections: 5 of 8, 2 requests waiting for one
                   1  reading           12 s  /home/me/pub/films/a.mkv
                      [##########----------]  50 % of 730.0 MB, 30.4 MB/s, 12 s left
                   2  idle              31 s
                   3  writing            1 s  /home/me/pub/b
                      1.0 MB, 1.0 MB/s
                   4  connecting
                   5  listing            0 s  MLSD /home/me/pub/c

                Uploads: 5 files, 3.0 MB unsent
                  sending       4.0 MB  /b
                      [#####---------------]  25 % of 4.0 MB
                  waiting     12 bytes  /c/d
                  failed        1.0 kB  /full
                           452 Insufficient storage space (3 attempts, again in 1 min 10 s)
                  and 2 more files

                Caches
                  content      52.4 MB of at most 67.1 MB
                  directories  1 name known, 12 inodes; open: 3
                  spool        4.0 MB of at most 10.0 MB in /var/cache/ftpfs/mount-AbCdEf

                Recent problems
                  10:00:01  [2] no connection: 421 too many (3 times)
                  10:00:02  /full: not sent: 452 Insufficient storage space; its content is in
                            /var/cache/ftpfs/x

                """)
    }

    @Test("fits into 80 columns, whatever the names are")
    func narrow() {
        var status = MountStatus.example
        let long = "/" + String(repeating: "directory/", count: 40) + "file"
        status.connections[0].path = long
        status.connections[1].state = "asking"
        status.connections[1].command = "SIZE \(long)"
        status.connections[2].isAhead = true
        status.connections[2].path = long
        status.uploads[0].path = long
        status.uploads[2].reason = String(repeating: "word ", count: 60)
        status.server.features = (0..<60).map { "FEATURE\($0)" }
        status.faults[0] = .init(time: 1, level: "error", text: String(repeating: "word ", count: 60))
        for line in text(status).split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("says plainly when there is nothing, or when it ends")
    func quiet() {
        var status = MountStatus.example
        status.state = .ending
        status.isReadOnly = true
        status.server = .init(listingCommand: "MLSD")
        (status.connections, status.uploads, status.uploadCount, status.faults) = ([], [], 0, [])
        (status.cache.spoolLimit, status.waiting) = (nil, 0)
        let text = text(status)
        for part in [
            "ending: unmounted, sending what is left, read only;", "greeting     not heard yet",
            "encryption   none: commands, password and files go in the clear\n", "Connections: 0 of 8\n",
            "Uploads: nothing is unsent\n", "Recent problems: none\n", "spool        4.0 MB in /var",
        ] { #expect(text.contains(part), "\(part)") }
    }

    @Test("has colours where they are wanted, and says the same without them")
    func colours() {
        let coloured = text(.example, TerminalStyle(isColoured: true, columns: 80))
        #expect(coloured.contains("\u{1B}[32mserving\u{1B}[0m"))
        #expect(coloured.replacing(#/\u{1B}\[[0-9]+m/#, with: "") == text(.example))
    }

    @Test("is the same behind JSON")
    func json() {
        let json = MountStatus.example.json
        #expect(MountStatus(json: json) == .example)
        #expect(JSON(parsing: json.line.utf8).flatMap(MountStatus.init(json:)) == .example)
        #expect(JSON(parsing: json.text.utf8).flatMap(MountStatus.init(json:)) == .example)
        #expect(!json.line.contains("\n"))
    }

    @Test("is refused when it is not one", arguments: ["null", "{}", #"{"mount_point":"/"}"#])
    func notAStatus(_ text: String) {
        #expect(JSON(parsing: text.utf8).flatMap(MountStatus.init(json:)) == nil)
    }

    @Test("is understood by Prometheus")
    func metrics() {
        var other = MountStatus.example
        other.mountPoint = #"/mnt/a"b\c"#
        other.state = .ending
        let text = StatusMetrics.text(of: [.example, other])
        let lines = text.split(separator: "\n").map(String.init)
        for line in [
            "# TYPE ftpfs_serving gauge", #"ftpfs_serving{mount_point="/mnt/ftp"} 1"#,
            #"ftpfs_serving{mount_point="/mnt/a\"b\\c"} 0"#,
            #"ftpfs_connections{mount_point="/mnt/ftp",state="reading"} 1"#,
            #"ftpfs_received_bytes_total{mount_point="/mnt/ftp"} 1234567890"#,
            #"ftpfs_unsent_files{mount_point="/mnt/ftp"} 5"#, #"ftpfs_faults_total{mount_point="/mnt/ftp"} 4"#,
        ] { #expect(lines.contains(line), "\(line)") }
        // Each name is explained once, before its values, which come together.
        for line in lines where line.hasPrefix("# TYPE ") {
            #expect(lines.count { $0 == line } == 1)
            let name = line.split(separator: " ")[2]
            let places = lines.indices.filter { lines[$0].hasPrefix("\(name){") }
            #expect(places.first == lines.firstIndex(of: line).map { $0 + 1 })
            #expect((places.last ?? 0) - (places.first ?? 0) == places.count - 1)
        }
    }
}

/// Numbers for people.
@Suite("A quantity")
struct QuantityTests {
    @Test(
        "of bytes has four digits at most",
        arguments: [
            (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (1049, "1.0 kB"), (1050, "1.1 kB"),
            (999_949, "999.9 kB"), (999_950, "1.0 MB"), (12_345_678, "12.3 MB"), (.max, "9.2 EB"),
        ] as [(Int64, String)])
    func bytes(_ count: Int64, _ text: String) { #expect(Quantity.bytes(count) == text) }

    @Test(
        "of time has its two largest units",
        arguments: [
            (-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (3601, "1 h"),
            (3725, "1 h 2 min"), (86_400, "1 d"), (90_000, "1 d 1 h"), (.max, "106751991167300 d 15 h"),
        ] as [(Int64, String)])
    func span(_ seconds: Int64, _ text: String) { #expect(Quantity.span(seconds) == text) }

    @Test(
        "of a hundred is whole only when all is done",
        arguments: [
            (0, 0, 100), (0, 10, 0), (-1, 10, 0), (1, 3, 33), (999, 1000, 99), (1000, 1000, 100), (2000, 1000, 100),
            (.max - 1, .max, 99),
        ] as [(Int64, Int64, Int64)])
    func percent(_ done: Int64, _ total: Int64, _ percent: Int64) {
        #expect(Quantity.percent(done, of: total) == percent)
    }

    @Test("as a bar is as long as it should be")
    func bar() {
        #expect(Layout.bar(0, of: 10, width: 12) == "[----------]")
        #expect(Layout.bar(5, of: 10, width: 12) == "[#####-----]")
        #expect(Layout.bar(10, of: 10, width: 12) == "[##########]")
        #expect(Layout.bar(9, of: 10, width: 1) == "[-]")
    }
}

/// What has gone wrong lately.
@Suite("Recent problems")
struct FaultRingTests {
    @Test("are the last twenty, with equal ones in a row as one")
    func ring() {
        let ring = FaultRing(clock: { 7 })
        for number in 0..<30 { ring.note(.warning, "\(number)") }
        #expect(ring.faults.map(\.text) == (10..<30).map { "\($0)" })
        ring.note(.warning, "29")
        ring.note(.error, "29")
        #expect(ring.faults.suffix(2).map(\.times) == [2, 1])
        #expect(ring.faults.count == 20 && ring.total == 32)
        ring.note(.error, String(repeating: "x", count: 10_000))
        #expect(ring.faults.last?.text.count == 503)
    }

    @Test("come from the log, which gets them all the same")
    func handler() throws {
        let ring = FaultRing(clock: { 7 })
        let all = FaultRing(clock: { 7 })
        let nowhere = try FileDescriptor.open("/dev/null", .writeOnly, options: [.closeOnExec])
        defer { try? nowhere.close() }
        var logger = Logger(label: "test") { _ in
            FaultLogHandler(FaultLogHandler(LineLogHandler(to: nowhere, level: .info), all), ring)
        }
        logger[metadataKey: "key"] = "value"
        logger.info("nothing")
        logger.notice("a\nb")
        #expect(ring.faults.map(\.text) == ["a\\x0ab key=value"])
        #expect(ring.faults.map(\.level) == ["notice"])
        #expect(all.total == 1)
    }
}
