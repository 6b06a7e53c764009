/// The signals that wait for a thread and for its process: bit n-1 for signal n.
struct ProcessSignals: Equatable, Sendable {
    var pending: UInt64

    init(pending: UInt64) { self.pending = pending }

    /// Reads the lines `SigPnd:` (of the thread) and `ShdPnd:` (of the process) of /proc/PID/status, whose values have 16
    /// hexadecimal digits.
    ///
    /// - Returns: `nil` when one of the lines is missing or is something else.
    init?(status text: some Sequence<UInt8>) {
        var pending: [UInt64?] = [nil, nil]
        var line: [UInt8] = []
        func take(_ line: [UInt8]) {
            for (index, label) in ["SigPnd:", "ShdPnd:"].enumerated() where line.starts(with: label.utf8) {
                pending[index] = Self.hexadecimal(line.dropFirst(label.utf8.count).drop { $0 == 0x09 || $0 == 0x20 })
            }
        }
        for byte in text {
            if byte == 0x0A {
                take(line)
                line.removeAll(keepingCapacity: true)
            } else if line.count < Self.longestLine {
                line.append(byte)
            }
        }
        take(line)
        guard let thread = pending[0], let process = pending[1] else { return nil }
        self.pending = thread | process
    }

    /// Longer lines (`Groups:`) are none of ours; their tail is dropped.
    private static let longestLine = 64

    private static func hexadecimal(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(digit - 0x61 + 10)
            case 0x41...0x46: value = value << 4 | UInt64(digit - 0x41 + 10)
            default: return nil
            }
        }
        return value
    }
}
