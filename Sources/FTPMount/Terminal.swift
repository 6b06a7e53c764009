import FTPClient
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A person at the terminal who can be asked for a password.
///
/// The terminal is read byte by byte without its line editing, and its signals are off meanwhile: Ctrl-C then arrives
/// as a byte, so that there is no moment at which the process can end and leave the terminal without echo.
enum Terminal {
    /// How long a person may take. A forgotten prompt must not hold up a shutdown for ever.
    private static let patience = Duration.seconds(300)

    /// Shows a prompt on the controlling terminal and reads a line that is not shown.
    ///
    /// - Returns: the line, or `nil` when there is no terminal, or when this process is not in its foreground (it
    ///   would be stopped).
    /// - Throws: ``MountFailure`` with ``ExitCode/interrupted`` on Ctrl-C or Ctrl-D, or when nobody answers.
    static func ask(_ prompt: String) throws(MountFailure) -> Secret? {
        guard let terminal = try? FileDescriptor.open("/dev/tty", .readWrite, options: [.closeOnExec]) else {
            return nil
        }
        defer { try? terminal.close() }
        guard tcgetpgrp(terminal.rawValue) == getpgrp() else { return nil }
        var before = termios()
        guard tcgetattr(terminal.rawValue, &before) == 0 else { return nil }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(terminal.rawValue, TCSAFLUSH, &silent)
        defer {
            tcsetattr(terminal.rawValue, TCSAFLUSH, &before)
            _ = try? terminal.writeAll("\n".utf8)
        }
        _ = try? terminal.writeAll(prompt.utf8)
        var line = SecretLine()
        let deadline = Deadline.after(patience)
        while true {
            guard let byte = nextByte(terminal, deadline) else {
                throw MountFailure(.interrupted, "nobody entered a password")
            }
            switch line.take(byte) {
            case .more: continue
            case .done(let secret): return secret
            case .cancelled: throw MountFailure(.interrupted, "interrupted")
            }
        }
    }

    private static func nextByte(_ terminal: FileDescriptor, _ deadline: Deadline) -> UInt8? {
        var poller = pollfd(fd: terminal.rawValue, events: Int16(POLLIN), revents: 0)
        while poll(&poller, 1, deadline.pollTimeout) < 0 {
            guard errno == EINTR else { return nil }
        }
        guard poller.revents & Int16(POLLIN) != 0 else { return nil }
        var byte: UInt8 = 0
        let count = withUnsafeMutableBytes(of: &byte) { buffer in try? terminal.read(into: buffer) }
        return count == 1 ? byte : nil
    }
}

/// The line being typed, with the keys that edit it.
struct SecretLine {
    /// What a key did.
    enum Step {
        case more
        case done(Secret)
        case cancelled
    }

    private var bytes: [UInt8] = []

    /// Takes one byte of the keyboard.
    mutating func take(_ byte: UInt8) -> Step {
        switch byte {
        case UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            return .done(Secret(bytes))
        case 0x03, 0x04, 0x1C:  // Ctrl-C, Ctrl-D, Ctrl-\
            return .cancelled
        case 0x08, 0x7F:  // Backspace: also the further bytes of one UTF-8 character
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        case 0x15:  // Ctrl-U
            bytes = []
        default:
            // No server takes a longer line than a few hundred bytes; the rest of a runaway paste is dropped.
            if bytes.count < 1024 { bytes.append(byte) }
        }
        return .more
    }
}
