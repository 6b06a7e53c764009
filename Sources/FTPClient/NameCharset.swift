import Threading

/// The character set in which a server writes names, where that is not UTF-8.
///
/// ## Where names are converted
/// Only at the wire: ``Session/wirePath(_:_:)`` and its kin write a path into a command, ``Session/local(_:)`` takes the
/// names out of a listing. Everywhere else in this program a name is what Linux shows, UTF-8 as a rule. Without a
/// character set nothing is converted at all, and the bytes of the server are the bytes that Linux shows.
///
/// ## What it promises
/// - **Two names of the server never become one**, and every one of them can be sent back: for all bytes `w`,
///   `wire(local(w)) == w`. A byte that belongs to no character, and each byte of a character that would come back as
///   others, is shown as a character of its own: byte 0x80 as U+EF80, and so on to 0xFF as U+EFFF, which Unicode leaves to
///   private use. Where the set itself has a character there, it is shown in this way too.
/// - **What a user types is sent exactly or not at all**: `wire` gives `nil` for a name that would not come back from a
///   listing as it was typed.
/// - **ASCII is ASCII.** A byte below 0x80 at the beginning of a character stands for itself, also where a set has a Yen
///   sign in the place of the backslash (Shift-JIS), so that `/`, `.` and the end of a line mean what they always mean.
///   In the second byte of a character of Shift-JIS, GBK and Big5 they never occur, but `\`, `|`, `[` and `{` do; so
///   nothing may look for those in a name that is in the server's set. Sets in which a `/` could be a part of a character
///   (ISO-2022, UTF-7, UTF-16, EBCDIC) are refused.
/// - Unicode's forms of composition are left alone: `é` in one character and in two are two names, as they are for Linux.
///
/// ## Threads
/// iconv(3)'s descriptors have a state and belong to one thread at a time. Both directions are kept under one lock, which
/// is held for one name; any thread may call anything.
package final class NameCharset: Sendable {
    /// The name of the set as it was given.
    package let name: String
    private let converters: Monitor<Converters>

    /// Why a name does not stand for a usable set.
    package enum Unusable: Error, Equatable, Sendable {
        /// The system knows no set of this name.
        case unknown
        /// Bytes of ASCII may be parts of other characters in it.
        case notOnTopOfASCII
    }

    /// The set of that name, as `iconv -l` lists them; `nil` for UTF-8, in which nothing is to be converted.
    ///
    /// Blocks for some milliseconds: the set is tried with all characters of the basic plane.
    package static func named(_ name: String) throws(Unusable) -> NameCharset? {
        let plain = name.uppercased().filter { $0 != "-" && $0 != "_" }
        if plain == "UTF8" { return nil }
        return try NameCharset(name)
    }

    private init(_ name: String) throws(Unusable) {
        // No `/`: behind one stands how to be inexact, `//TRANSLIT`.
        let isName = name.utf8.allSatisfy { Self.isOfName($0) } && !name.isEmpty && name.utf8.count < 64
        guard isName, let converters = Converters(name) else { throw .unknown }
        guard converters.areOnTopOfASCII else { throw .notOnTopOfASCII }
        self.name = name
        self.converters = Monitor(converters)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "-_.:()+".utf8.contains(byte)
    }

    /// A name or a path of the server, as Linux shows it.
    package func local(_ wire: [UInt8]) -> [UInt8] {
        if wire.allSatisfy({ $0 < 0x80 }) { return wire }
        return converters.withLock { $0.local(wire) }
    }

    /// A name or a path of Linux, as the server writes it; `nil` when it cannot.
    package func wire(_ local: [UInt8]) -> [UInt8]? {
        if local.allSatisfy({ $0 < 0x80 }) { return local }
        return converters.withLock { converters in
            guard let wire = converters.wire(local), converters.local(wire) == local else { return nil }
            return wire
        }
    }
}

/// Both directions.
private struct Converters: ~Copyable {
    private let toLocal: Iconv
    private let toWire: Iconv

    init?(_ name: String) {
        guard let toLocal = Iconv(from: name, to: "UTF-8"), let toWire = Iconv(from: "UTF-8", to: name) else {
            return nil
        }
        self.toLocal = toLocal
        self.toWire = toWire
    }

    /// Character by character, the shortest run that is one.
    func local(_ wire: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = wire[...]
        while let byte = rest.first {
            if byte < 0x80 {
                result.append(byte)
                rest = rest.dropFirst()
            } else if let (character, length) = character(at: rest) {
                result += character
                rest = rest.dropFirst(length)
            } else {
                result += RawByte.character(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// The longest character of any set on top of ASCII: GB 18030 and EUC-TW.
    private static let longest = 4

    private func character(at rest: ArraySlice<UInt8>) -> (character: [UInt8], length: Int)? {
        for length in 1...Self.longest where length <= rest.count {
            let run = rest.prefix(length)
            guard let character = toLocal.converted(run), !character.isEmpty else { continue }
            // Two ways to write one character (CP932 has many), a letter with an accent in one piece that has none in
            // Unicode (Big5-HKSCS), and what would be taken for a byte that did not convert.
            guard let first = character.first, first >= 0x80, character.count == UTF8Length.of(first),
                RawByte.first(in: character[...]) == nil,
                toWire.converted(character[...]).map({ $0[...] }) == run
            else { return nil }
            return (character, length)
        }
        return nil
    }

    /// `nil` for what is no UTF-8, and for what the set does not have.
    func wire(_ local: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = local[...]
        while let byte = rest.first {
            if byte < 0x80 {
                result.append(byte)
                rest = rest.dropFirst()
                continue
            }
            let character = rest.prefix(UTF8Length.of(byte))
            if let raw = RawByte.first(in: character) {
                result.append(raw)
            } else if let bytes = toWire.converted(character), !bytes.isEmpty {
                result += bytes
            } else {
                return nil
            }
            rest = rest.dropFirst(character.count)
        }
        return result
    }

    /// Whether bytes of ASCII stand for themselves, and for nothing else: tried with every character of the basic plane.
    var areOnTopOfASCII: Bool {
        let letters = (0x30...0x39).map { UInt8($0) } + (0x41...0x5A) + (0x61...0x7A) + Array("/. -_".utf8)
        for letter in letters where toLocal.converted([letter]) != [letter] || toWire.converted([letter]) != [letter] {
            return false
        }
        var others = 0
        var inSevenBits = 0
        for value in UInt32(0x80)...0xFFFF {
            guard let scalar = Unicode.Scalar(value), let bytes = toWire.converted(Array(String(scalar).utf8)[...])
            else { continue }
            others += 1
            if bytes.allSatisfy({ $0 < 0x80 }) {
                inSevenBits += 1
            } else if bytes.contains(where: { [0x00, 0x0A, 0x0D, 0x2F].contains($0) }) {
                return false
            }
        }
        // A few characters in places of ASCII (the Yen sign, some letters among the control codes) cannot be typed, and
        // do no harm. Where most are in seven bits, escape sequences say what the bytes mean.
        return inSevenBits * 2 <= others
    }
}

/// How a byte that did not convert is shown: 0x80 ... 0xFF as U+EF80 ... U+EFFF.
private enum RawByte {
    static func character(_ byte: UInt8) -> [UInt8] {
        [0xEE, 0xBE + (byte >> 6 & 1), 0x80 | (byte & 0x3F)]
    }

    /// The byte that is shown as the first of these characters which is one of those.
    static func first(in characters: ArraySlice<UInt8>) -> UInt8? {
        // 0xEE begins a character of three bytes and is nothing else in UTF-8.
        guard let start = characters.firstIndex(of: 0xEE), characters.endIndex - start >= 3 else { return nil }
        let (second, third) = (characters[start + 1], characters[start + 2])
        guard second == 0xBE || second == 0xBF, third & 0xC0 == 0x80 else { return nil }
        return 0x80 | (second & 1) << 6 | (third & 0x3F)
    }
}

/// How many bytes a character of UTF-8 has, by its first byte; iconv(3) checks the rest.
private enum UTF8Length {
    static func of(_ byte: UInt8) -> Int {
        switch byte {
        case 0xC0...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF7: 4
        default: 1
        }
    }
}
