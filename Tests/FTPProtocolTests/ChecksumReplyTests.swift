import Testing

@testable import FTPProtocol

/// Checksums that a server counts.
@Suite("Checksum replies")
struct ChecksumReplyTests {
    @Test(
        "to HASH are read",
        arguments: [
            ("SHA-256 0-49 6AB9cdef filename.ext", "sha256:6ab9cdef"), ("MD5 0-0 00ff a b c", "md5:00ff"),
            ("SHA-256 0-49", nil), ("SHA-256 0-49 nothex f", nil), ("", nil), ("SHA_1! 0-1 ff f", nil),
        ] as [(String, String?)])
    func hash(text: String, expected: String?) {
        #expect(ChecksumReply.parseHash(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test(
        "to XMD5 and its like are read",
        arguments: [
            ("D41D8CD98F00B204E9800998ECF8427E", "md5", "md5:d41d8cd98f00b204e9800998ecf8427e"),
            ("abc d41d8cd98f00b204e9800998ecf8427e", "md5", "md5:d41d8cd98f00b204e9800998ecf8427e"),
            ("d41d8cd98f00b204e9800998ecf8427", "md5", nil), ("1A2B", "crc32", "crc32:1a2b"), ("", "crc32", nil),
        ] as [(String, String, String?)])
    func older(text: String, algorithm: String, expected: String?) {
        let sum = ChecksumReply.parse(Array(text.utf8), algorithm: algorithm)
        #expect(sum.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test("of any length end in a bounded value or none")
    func bounded() {
        let long = Array(repeating: UInt8(ascii: "a"), count: 100_000)

        #expect(ChecksumReply.parse(long, algorithm: "crc32") == nil)
        #expect(ChecksumReply.parseHash(Array("SHA-1 0-1 ".utf8) + long) == nil)
        #expect(ChecksumReply.parseHash(long + Array(" 0-1 ff".utf8)) == nil)
    }
}
