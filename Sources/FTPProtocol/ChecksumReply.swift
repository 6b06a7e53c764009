import Vocabulary

/// Checksums in what a server answers.
package enum ChecksumReply {
    /// The longest in use, SHA-512 with its 64 bytes, and the shortest, CRC-32, which some servers write without its zeros.
    private static let digits = 1...128

    /// The text of the 213 that answers `HASH` (draft-bryan-ftpext-hash §3.2):
    ///
    ///     213 SHA-256 0-49 6ab9…cdef filename.ext
    ///
    /// - Returns: `ALGORITHM:HEXADECIMAL` in small letters, as in `sha-256:6ab9…cdef`, with the algorithm's usual name.
    package static func parseHash(_ text: [UInt8]) -> [UInt8]? {
        let words = text.split { ASCII.isBlank($0) }
        guard words.count >= 3, let name = algorithm(words[0]), isHexadecimal(words[2]) else { return nil }
        return name + [ASCII.colon] + words[2].map(ASCII.lowercased)
    }

    /// The text that answers `XSHA256`, `XMD5` and the like: the hexadecimal digits, alone or as a word among others.
    package static func parse(_ text: [UInt8], algorithm: String) -> [UInt8]? {
        let length: Int? = ["md5": 32, "sha1": 40, "sha256": 64, "sha512": 128][algorithm]
        let words = text.split { ASCII.isBlank($0) }
        // A file name may look like one too: where the length is known, it decides.
        guard let sum = words.first(where: { isHexadecimal($0) && (length == nil || $0.count == length) }) else {
            return nil
        }
        return Array(algorithm.utf8) + [ASCII.colon] + sum.map(ASCII.lowercased)
    }

    /// `SHA-256` is `sha256`.
    private static func algorithm(_ word: ArraySlice<UInt8>) -> [UInt8]? {
        let name = word.map(ASCII.lowercased).filter { $0 != 0x2D }
        let isName = name.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        return name.isEmpty || name.count > 16 || !isName ? nil : name
    }

    private static func isHexadecimal(_ word: ArraySlice<UInt8>) -> Bool {
        digits.contains(word.count)
            && word.allSatisfy { byte in
                let byte = ASCII.lowercased(byte)
                return (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            }
    }
}
