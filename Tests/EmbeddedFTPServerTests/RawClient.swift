@preconcurrency import Glibc

@testable import EmbeddedFTPServer

/// A client of bare sockets that does exactly what it is told. Every wait ends after 10 seconds.
final class RawClient {
    struct Failure: Error {
        let what: String
    }

    /// One reply: its code, and its lines as they came, without line ends.
    struct Reply: Equatable {
        var code: Int
        var lines: [String]

        var text: String { lines.last.map { String($0.dropFirst(4)) } ?? "" }
    }

    let socket: Int32
    private let host: String
    private var input: [UInt8] = []

    init(_ server: EmbeddedFTPServer, host: String = "127.0.0.1", logsIn: Bool = false) throws {
        self.host = host
        socket = try Self.connect(host, server.port)
        guard logsIn else { return }
        _ = try reply()
        for line in ["USER anonymous", "PASS me@example.org", "TYPE I"] { _ = try command(line) }
    }

    deinit { Glibc.close(socket) }

    static func close(_ data: Int32) { Glibc.close(data) }

    static func connect(_ host: String, _ port: UInt16) throws -> Int32 {
        guard let address = SocketAddress(host, port: port) else { throw Failure(what: "no address: \(host)") }
        let socket = Glibc.socket(
            address.isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // Far more than a listing of a hundred thousand names takes with a sanitizer on a busy machine.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
        guard address.withPointer({ Glibc.connect(socket, $0, $1) }) == 0 else {
            let code = errno
            Glibc.close(socket)
            throw Failure(what: "connect: \(code)")
        }
        return socket
    }

    // MARK: Control connection

    func send(_ line: String) throws { try send(Array(line.utf8) + [0x0D, 0x0A]) }

    func send(_ bytes: [UInt8]) throws {
        guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failure(what: "send: \(errno)")
        }
    }

    /// The next line with bytes as they came; `nil` at the end of the connection.
    func rawLine() throws -> [UInt8]? {
        while true {
            if let end = input.firstIndex(of: 0x0A) {
                defer { input.removeFirst(end + 1) }
                return Array(input[..<end].filter { $0 != 0x0D })
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(socket, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return nil }
            guard count > 0 else { throw Failure(what: "no reply: \(errno)") }
            input += buffer[..<count]
        }
    }

    func reply() throws -> Reply {
        guard let first = try rawLine() else { throw Failure(what: "connection closed") }
        var lines = [String(decoding: first, as: UTF8.self)]
        let code = String(lines[0].prefix(3))
        if lines[0].dropFirst(3).first == "-" {
            repeat {
                guard let next = try rawLine() else { throw Failure(what: "connection closed in a reply") }
                lines.append(String(decoding: next, as: UTF8.self))
            } while !(lines.last ?? "").hasPrefix(code + " ")
        }
        guard let number = Int(code) else { throw Failure(what: "no code: \(lines)") }
        return Reply(code: number, lines: lines)
    }

    func command(_ line: String) throws -> Reply {
        try send(line)
        return try reply()
    }

    func code(_ line: String) throws -> Int { try command(line).code }

    /// Whether the server has closed the connection, after the replies that may still come.
    func isClosed() throws -> Bool {
        while try rawLine() != nil {}
        return true
    }

    /// Whether nothing has come that could be read.
    var isSilent: Bool {
        var state = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return input.isEmpty && poll(&state, 1, 0) == 0
    }

    // MARK: Data connections

    func passive() throws -> Int32 {
        let reply = try command("EPSV")
        let digits = reply.text.drop { $0 != "|" }.filter(\.isNumber)
        guard let port = UInt16(digits) else { throw Failure(what: "EPSV: \(reply)") }
        return try Self.connect(host, port)
    }

    /// What is in a data connection up to its end, and whether that was in order.
    static func readAll(_ socket: Int32) -> (bytes: [UInt8], error: Int32?) {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count <= 0 { return (all, count < 0 ? errno : nil) }
            all += buffer[..<count]
        }
    }

    struct Download {
        var bytes: [UInt8] = []
        /// The error of the data connection; `nil`: an ordinary end.
        var error: Int32?
        var replies: [Reply] = []

        var codes: [Int] { replies.map(\.code) }
        var lines: [String] {
            String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: true)
                .map { String($0) }
        }
    }

    /// A transfer towards the client in passive mode.
    func download(_ line: String) throws -> Download {
        let data = try passive()
        defer { Self.close(data) }
        var result = Download()
        result.replies.append(try command(line))
        guard result.codes[0] < 200 else { return result }
        (result.bytes, result.error) = Self.readAll(data)
        result.replies.append(try reply())
        return result
    }

    /// A transfer towards the server in passive mode. - Returns: the codes of the replies.
    func upload(_ line: String, _ bytes: [UInt8]) throws -> [Int] {
        let data = try passive()
        let first = try code(line)
        guard first < 200 else {
            Self.close(data)
            return [first]
        }
        _ = Glibc.send(data, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        Self.close(data)
        return [first, try reply().code]
    }
}
