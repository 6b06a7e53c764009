internal import SystemPackage

/// One reply as it goes to the client: a code and at least one line of bytes.
struct Answer: Sendable {
    typealias Fields = [String: [UInt8]]

    let code: UInt16
    private(set) var lines: [[UInt8]]
    /// Whether every line of a reply of several lines begins with the code, and not with a blank.
    private var repeatsCode: Bool
    /// Whether the lines between the first and the last go out as they are.
    private var isInnerAsIs = false

    /// A saying with its braces filled in; what has no field stays empty.
    init(_ saying: Saying, _ fields: Fields = [:], repeatingCode: Bool = false) {
        code = saying.code
        lines = saying.text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            Self.filled(Array(line.utf8), fields)
        }
        repeatsCode = repeatingCode
        // A saying of several lines repeats its code: that is how products write their greetings.
        if lines.count > 1 { repeatsCode = true }
    }

    /// The lines of `first`, then `inner`, then those of `last`, as FEAT and MLST answer.
    ///
    /// - Parameter asIs: nothing is done to those in between.
    init(_ first: Answer, _ inner: [[UInt8]], _ last: Answer, asIs: Bool = false) {
        isInnerAsIs = asIs
        code = first.code
        lines = first.lines + inner + last.lines
        repeatsCode = first.repeatsCode
    }

    /// The bytes to send. Line ends inside of what was filled in would break the dialogue: they are shown as `?`.
    func wire(doublingIAC: Bool) -> [UInt8] {
        let digits = Array(padded(code, 3).utf8)
        var wire: [UInt8] = []
        for (index, line) in lines.enumerated() {
            if isInnerAsIs, index > 0, index < lines.count - 1 {
                wire += line + [0x0D, 0x0A]
                continue
            }
            if index == lines.count - 1 {
                wire += digits + [0x20]
            } else if index == 0 || repeatsCode {
                wire += digits + [0x2D]
            } else {
                wire.append(0x20)
            }
            for byte in line {
                switch byte {
                case 0x0A, 0x0D: wire.append(UInt8(ascii: "?"))
                case 0xFF where doublingIAC: wire += [0xFF, 0xFF]
                default: wire.append(byte)
                }
            }
            wire += [0x0D, 0x0A]
        }
        return wire
    }

    private static func filled(_ template: [UInt8], _ fields: Fields) -> [UInt8] {
        var result: [UInt8] = []
        var rest = template[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "{")),
            let close = rest[open...].firstIndex(of: UInt8(ascii: "}"))
        {
            result += rest[..<open]
            result += fields[String(decoding: rest[(open + 1)..<close], as: UTF8.self)] ?? []
            rest = rest[(close + 1)...]
        }
        return result + rest
    }
}

/// How a product words the reasons of its refusals.
package enum ReasonStyle: Hashable, Sendable {
    /// The words of strerror(3).
    case unix
    /// The words of Windows.
    case windows

    func text(_ error: StorageError) -> String {
        switch (error, self) {
        case (.notFound, .unix): "No such file or directory"
        case (.notFound, .windows): "The system cannot find the file specified."
        case (.exists, .unix): "File exists"
        case (.exists, .windows): "Cannot create a file when that file already exists."
        case (.notEmpty, .unix): "Directory not empty"
        case (.notEmpty, .windows): "The directory is not empty."
        case (.notDirectory, .unix): "Not a directory"
        case (.notDirectory, .windows): "The directory name is invalid."
        case (.isDirectory, .unix): "Is a directory"
        case (.isDirectory, .windows): "Access is denied."
        case (.denied, .unix): "Permission denied"
        case (.denied, .windows): "Access is denied."
        case (.invalidName, .unix): "Invalid argument"
        case (.invalidName, .windows): "The filename, directory name, or volume label syntax is incorrect."
        case (.noSpace, .unix): "No space left on device"
        case (.noSpace, .windows): "There is not enough space on the disk."
        case (.unsupported, .unix): "Operation not supported"
        case (.unsupported, .windows): "The request is not supported."
        case (.failed(let code), _): code.description
        }
    }
}
