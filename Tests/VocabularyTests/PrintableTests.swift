import Testing
import Vocabulary

@Suite struct PrintableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let text: String
        var testDescription: String { name }

        init(_ name: String, _ bytes: [UInt8], _ text: String) {
            (self.name, self.bytes, self.text) = (name, bytes, text)
        }
    }

    @Test(arguments: [
        Row("nothing", [], ""),
        Row("text", Array("a b~".utf8), "a b~"),
        Row("UTF-8 of two, three and four bytes", Array("ü€😀".utf8), "ü€😀"),
        Row("the last character of all", Array("\u{10FFFF}".utf8), "\u{10FFFF}"),
        Row("decomposed letters stay so", Array("e\u{301}".utf8), "e\u{301}"),
        Row("a line end", Array("a\r\nb".utf8), "a\\x0d\\x0ab"),
        Row("NUL, ESC and DEL", [0x00, 0x1B, 0x7F], "\\x00\\x1b\\x7f"),
        Row("a C1 control character", [0xC2, 0x9B], "\\xc2\\x9b"),
        Row("a line separator", Array("\u{2028}".utf8), "\\xe2\\x80\\xa8"),
        Row("right to left", Array("a\u{202E}b".utf8), "a\\xe2\\x80\\xaeb"),
        Row("Latin-1", [0x4D, 0xE4, 0x72], "M\\xe4r"),
        Row("a lone continuation", [0x80, 0x61], "\\x80a"),
        Row("a cut character", [0x61, 0xE2, 0x82], "a\\xe2\\x82"),
        Row("a cut character before text", [0xE2, 0x82, 0x61], "\\xe2\\x82a"),
        Row("a longer form than needed", [0xC0, 0xAF], "\\xc0\\xaf"),
        Row("a longer form than needed, of three", [0xE0, 0x80, 0xAF], "\\xe0\\x80\\xaf"),
        Row("a surrogate", [0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"),
        Row("beyond the last character", [0xF4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"),
        Row("a byte that no UTF-8 has", [0xFF], "\\xff"),
        Row("a good character behind a bad byte", [0xFF, 0xC3, 0xBC], "\\xffü"),
        Row("a backslash stays", Array("\\x41".utf8), "\\x41"),
    ])
    func shows(row: Row) {
        #expect(printable(row.bytes) == row.text)
        // A slice with other indices says the same.
        #expect(printable(([0x41] + row.bytes)[1...]) == row.text)
    }

    @Test func manyBadBytesAreNoProblem() {
        let text = printable([UInt8](repeating: 0xFF, count: 1_000_000))
        #expect(text.utf8.count == 4_000_000)
    }

    /// Whatever comes in, what comes out is one line without controls, and good UTF-8 is untouched.
    @Test func agreesWithTheStandardLibrary() {
        var generator = SystemRandomNumberGenerator()
        let seed = generator.next()
        var random = SplitMix64(state: seed)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...8, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
            }
            let text = printable(bytes)
            let isClean = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
            #expect(isClean, "seed \(seed): \(bytes)")
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            if isValid, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { #expect(Array(text.utf8) == bytes) }
            if !isValid { #expect(text.utf8.contains(0x5C), "seed \(seed): \(bytes)") }
        }
    }
}

/// A generator of numbers that a seed repeats (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
