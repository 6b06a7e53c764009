import FTPProtocol
import Vocabulary

/// 227 and 229: a port that exists, whose digits are in the text.
@Sendable func fuzzPassive(_ text: [UInt8]) {
    if let port = PassiveReply.parseExtended(text) {
        require(port > 0, "port 0")
        require("\(port)".utf8.stand(in: text), "port \(port) is not in the text")
    }
    if let (address, port) = PassiveReply.parse(text) {
        require(address.count == 4 && port > 0, "\(address) \(port)")
        for number in address + [UInt8(port >> 8), UInt8(port & 0xFF)] {
            require("\(number)".utf8.stand(in: text), "\(number) is not in the text")
        }
    }
}

/// The values in the replies to PWD, MKD, SIZE, MDTM, RETR and MLST, and in those to AVBL, SITE QUOTA and HASH.
@Sendable func fuzzValues(_ text: [UInt8]) {
    if let path = WorkingDirectoryReply.parse(text) {
        require(!path.isEmpty && path.count <= text.count, "the length of the path")
        require(!path.contains { $0 == 0 || $0 == 0x0A || $0 == 0x0D }, "a path that cannot be sent")
    }
    if let size = SizeReply.parse(text) { require(size >= 0, "size \(size)") }
    if let size = TransferReply.parseSize(text) { require(size >= 0, "size \(size)") }
    for time in [TimeValue.parse(text), ModificationTimeReply.parse(text)].compactMap(\.self) {
        let year = CivilTime(seconds: time.seconds).year
        require((0...10_000).contains(year) && time.nanoseconds < 1_000_000_000, "year \(year)")
        if let written = TimeValue.format(time) {
            require(TimeValue.parse(written.utf8)?.seconds == time.seconds, "\(written) is read as another time")
        }
    }
    for isPath in [false, true] {
        guard let entry = FactLine.parse(text, isPath: isPath) else { continue }
        check(entry, from: text)
    }
    if let line = FactLine(parsing: Reply(code: 250, lines: [text, text])) {
        require(line.pathname.stand(in: text), "a path from nowhere")
        require((line.size ?? 0) >= 0 && (line.mode ?? 0) <= 0o7777, "\(line)")
        require(!(line.linkTarget ?? []).contains { [0, 0x0A, 0x0D].contains($0) }, "a target that is no path")
    }
    if let quota = SpaceReply.parseQuota(Reply(code: 200, lines: [text])) {
        require(text.contains(0x2F) || text.contains(0x20) || text.contains(0x09), "\(quota) is from nowhere")
    }
    _ = SpaceReply.parseAvailable(text)
    let sums = [ChecksumReply.parseHash(text)] + ["md5", "crc32"].map { ChecksumReply.parse(text, algorithm: $0) }
    for sum in sums.compactMap(\.self) {
        require(sum.count <= 16 + 1 + 128 && sum.contains(0x3A), "\(sum) is no checksum")
        require(!sum.contains { $0 <= 0x20 || $0 >= 0x7F }, "\(sum) is no checksum")
    }
}
