import FTPProtocol
import Vocabulary

/// 15 June 2024, a day in the past of every entry below.
private let present = Timestamp(seconds: 1_718_452_800)

/// The replies of a session that transfers files.
func addReplies() {
    let round =
        "200 Switching to Binary mode.\r\n229 Entering Extended Passive Mode (|||51234|)\r\n"
        + "150 Opening BINARY mode data connection for file (4096 bytes).\r\n226 Transfer complete.\r\n"
    let single = Array(String(repeating: round, count: 100).utf8)
    Measuring.add("reply of one line", units: 400, bytes: single.count) { replies(in: single) }

    let features =
        "211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n MLST type*;size*;modify*;UNIX.mode*;\r\n REST STREAM\r\n"
        + " SIZE\r\n TVFS\r\n UTF8\r\n211 End\r\n"
    let several = Array(String(repeating: features, count: 100).utf8)
    Measuring.add("reply of ten lines", units: 100, bytes: several.count) { replies(in: several) }
}

/// Reads them as they come from a socket, and says how many there were.
private func replies(in bytes: [UInt8]) -> Int {
    var parser = ReplyParser()
    var count = 0
    for start in stride(from: 0, to: bytes.count, by: 1460) {
        try? parser.consume(bytes[start..<min(start + 1460, bytes.count)])
        while parser.next() != nil { count += 1 }
    }
    return count
}

/// Directories of 10,000 files, as servers list them.
func addListings() {
    let count = 10_000
    let facts = lines(count) { "type=file;size=\($0);modify=20240102030405;UNIX.mode=0644; entry-\($0)" }
    Measuring.add("entry of MLSD", units: count, bytes: facts.count) { entries(of: facts, .machine) }
    let unix = lines(count) { "-rw-r--r--    1 2121     2121       \(100_000 + $0) Jan 02 03:04 entry-\($0)" }
    Measuring.add("entry of LIST, Unix", units: count, bytes: unix.count) { entries(of: unix, .text) }
    let dos = lines(count) { "01-02-24  03:04AM               \(100_000 + $0) entry-\($0)" }
    Measuring.add("entry of LIST, DOS", units: count, bytes: dos.count) { entries(of: dos, .text) }
}

private func lines(_ count: Int, _ line: (Int) -> String) -> [UInt8] {
    (0..<count).flatMap { Array((line($0) + "\r\n").utf8) }
}

/// Parses a listing in pieces of a data connection's usual size.
private func entries(of bytes: [UInt8], _ format: ListingFormat) -> Int {
    var parser = ListingParser(format: format, now: present)
    bytes.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: 64 << 10) {
            parser.consume(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + (64 << 10), bytes.count)]))
        }
    }
    return parser.finish().entries.count
}

/// The times of MLSD and MDTM.
func addTimes() {
    let texts = (0..<1000).map { Array("20240102\(100_000 + $0 % 60)".utf8) }
    Measuring.add("time of MDTM", units: texts.count, bytes: texts.count * 14) {
        texts.reduce(0) { $0 &+ (TimeValue.parse($1)?.seconds ?? 0) }
    }
}
