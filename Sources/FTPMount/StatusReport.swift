import SystemPackage

/// What the mounting process tells the one that waits for it, once: an exit code in one byte, and the line for a
/// person behind it; then the pipe ends.
enum StatusReport {
    /// The mount answers, or why there is none.
    enum Outcome: Equatable {
        case ready
        case failed(MountFailure)
    }

    /// The bytes for the pipe.
    static func encoded(_ outcome: Outcome) -> [UInt8] {
        switch outcome {
        case .ready: [UInt8(truncatingIfNeeded: ExitCode.success.rawValue)]
        case .failed(let failure): [UInt8(truncatingIfNeeded: failure.code.rawValue)] + Array(failure.message.utf8)
        }
    }

    /// Reads the bytes of the pipe; `nil` when the other side ended without a word.
    static func decoded(_ bytes: [UInt8]) -> Outcome? {
        guard let first = bytes.first, let code = ExitCode(rawValue: Int32(first)) else { return nil }
        if code == .success { return .ready }
        return .failed(MountFailure(code, String(decoding: bytes.dropFirst(), as: UTF8.self)))
    }
}
