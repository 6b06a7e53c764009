@preconcurrency import Glibc
import SystemPackage
import Threading
import Vocabulary

/// A peer that follows a script: it sends what it is told to send and checks what it gets. For the oddities of servers
/// that no well-written server can be talked into.
final class ScriptedServer: Sendable {
    enum Step: Sendable {
        /// The next control connection is taken (the first is taken by itself).
        case accept
        /// These lines are sent, each with CR LF.
        case send([String])
        /// This line comes next.
        case expect(String)
        /// This line comes next, byte for byte, alone in one segment.
        case expectBytes([UInt8])
        /// `EPSV` comes next, and is answered with a port that listens.
        case passive
        /// `EPSV` comes next, and is answered with a port that does not listen.
        case deadPassive
        /// `PASV` comes next; the answer names a foreign address and a port that listens.
        case foreignPassive
        /// `PASV` comes next; the answer names this address (with commas), and a port that listens at another one.
        case classicPassive(named: String, at: String)
        /// A command with this verb comes next; what follows it does not matter.
        case expectVerb(String)
        /// `EPRT` or `PORT` comes next, and is accepted.
        case active(String)
        /// A connection is made from this address to the port that the client has named. From the server's own it is the
        /// data connection; from another one it waits until the client has hung up.
        case connectData(from: String)
        /// This line is sent again and again, as fast as the client takes it, or one byte at a time, until it hangs up.
        case flood(String, oneByteAtATime: Bool)
        /// The data connection is taken, if that has not happened, and these bytes are sent.
        case data(String)
        /// The data connection ends properly, or with a reset.
        case endData(reset: Bool)
        /// The data connection is read to its end, which must bring this.
        case receive(String)
        /// The control connection ends.
        case close
        /// Nothing happens until ``ScriptedServer/goOn()``.
        case hold
        /// The client ends the control connection; further commands before that are not minded.
        case awaitEnd
    }

    let port: UInt16
    private let listener: Int32
    private let problems = Monitor<[String]>([])
    private let isDone = Monitor(false)
    private let permits = Monitor(0)

    /// Listens on loopback and follows the script in a thread of its own.
    init(_ script: [Step]) throws {
        (listener, port) = try Self.listen()
        let listener = listener
        try Thread.detached(named: "scripted") { [problems, isDone, permits] in
            var run = Run(listener: listener, permits: permits)
            do {
                try run.accept()
                for step in script { try run.follow(step) }
            } catch {
                problems.withLock { $0.append("\(error)") }
            }
            run.finish()
            isDone.withLockThenWake { $0 = true }
        }
    }

    deinit { Glibc.close(listener) }

    /// Lets the script go on behind the next `hold`.
    func goOn() { permits.withLockThenWake { $0 += 1 } }

    /// Waits for the end of the script; what did not go by it.
    func outcome() -> [String] {
        let done = isDone.wait(until: .after(.seconds(20))) { $0 ? true : nil }
        return problems.withLock { $0 } + (done == nil ? ["the script has not come to its end"] : [])
    }

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private static func listen(_ host: String = "127.0.0.1") throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, host, &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard bind(listener, pointer, length) == 0, Glibc.listen(listener, 8) == 0 else { return errno }
                return getsockname(listener, pointer, &length) == 0 ? 0 : errno
            }
        }
        guard listener >= 0, code == 0 else { throw Problem(description: "no listener: \(Errno(rawValue: code))") }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// One run of the script, on its thread.
    private struct Run {
        let listener: Int32
        let permits: Monitor<Int>
        var control: Int32 = -1
        var dataListener: Int32 = -1
        var data: Int32 = -1
        var pending: [UInt8] = []
        /// Where the client awaits the data connection.
        var announced = sockaddr_in()

        mutating func follow(_ step: Step) throws {
            switch step {
            case .accept:
                try accept()
            case .send(let lines):
                try write(lines.map { $0 + "\r\n" }.joined())
            case .expect(let line):
                let got = try readLine() ?? "(the end)"
                guard got == line else { throw Problem(description: "expected \(line), got \(got)") }
            case .expectBytes(let line):
                let got = try read(control) ?? []
                guard pending.isEmpty, got == line + [0x0D, 0x0A] else {
                    throw Problem(description: "expected \(printable(line)), got \(printable(pending + got))")
                }
            case .passive:
                try follow(.expect("EPSV"))
                try follow(.send(["229 Entering Extended Passive Mode (|||\(try openPassive())|)"]))
            case .deadPassive:
                try follow(.expect("EPSV"))
                let port = try openPassive()
                Glibc.close(dataListener)
                dataListener = -1
                try follow(.send(["229 Entering Extended Passive Mode (|||\(port)|)"]))
            case .foreignPassive:
                try follow(.expect("PASV"))
                let port = try openPassive()
                try follow(.send(["227 Entering Passive Mode (192,0,2,1,\(port >> 8),\(port & 255))"]))
            case .classicPassive(let named, let address):
                try follow(.expect("PASV"))
                let port = try openPassive(at: address)
                try follow(.send(["227 Entering Passive Mode (\(named),\(port >> 8),\(port & 255))"]))
            case .expectVerb(let verb):
                let got = try readLine() ?? "(the end)"
                guard got == verb || got.hasPrefix(verb + " ") else {
                    throw Problem(description: "expected \(verb), got \(got)")
                }
            case .active(let verb):
                try takeAnnouncement(verb)
                try follow(.send(["200 Ok"]))
            case .connectData(let address):
                try connectData(from: address)
            case .flood(let line, let oneByteAtATime):
                flood(Array((line + "\r\n").utf8), oneByteAtATime ? 1 : Int.max)
            case .data(let text):
                try takeData()
                let bytes = Array(text.utf8)
                // A client that breaks off may have closed it already.
                _ = Glibc.send(data, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            case .endData(let reset):
                try takeData()
                if reset {
                    var option = linger(l_onoff: 1, l_linger: 0)
                    setsockopt(data, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
                }
                Glibc.close(data)
                data = -1
            case .receive(let text):
                try takeData()
                var bytes: [UInt8] = []
                while let more = try read(data) { bytes += more }
                let got = String(decoding: bytes, as: UTF8.self)
                guard got == text else { throw Problem(description: "expected data \(text), got \(got)") }
            case .close:
                Glibc.close(control)
                control = -1
            case .hold:
                let permit = permits.wait(until: .after(.seconds(15))) { permits -> Bool? in
                    guard permits > 0 else { return nil }
                    permits -= 1
                    return true
                }
                if permit == nil { throw Problem(description: "held for too long") }
            case .awaitEnd:
                while try readLine() != nil {}
            }
        }

        mutating func accept() throws {
            if control >= 0 { Glibc.close(control) }
            pending = []
            try wait(listener)
            control = Glibc.accept(listener, nil, nil)
        }

        mutating func openPassive(at host: String = "127.0.0.1") throws -> UInt16 {
            let (descriptor, port) = try ScriptedServer.listen(host)
            dataListener = descriptor
            return port
        }

        mutating func takeData() throws {
            guard data < 0 else { return }
            try wait(dataListener)
            data = Glibc.accept(dataListener, nil, nil)
            Glibc.close(dataListener)
            dataListener = -1
        }

        mutating func takeAnnouncement(_ verb: String) throws {
            let line = try readLine() ?? "(the end)"
            let words = line.split { " |,".contains($0) }.map(String.init)
            guard words.first == verb else { throw Problem(description: "expected \(verb), got \(line)") }
            let isClassic = verb == "PORT"
            guard words.count == (isClassic ? 7 : 4) else { throw Problem(description: "not understood: \(line)") }
            let numbers = words.dropFirst().map { UInt16($0) ?? 0 }
            let port = isClassic ? numbers[4] << 8 | numbers[5] : numbers[2]
            announced.sin_family = sa_family_t(AF_INET)
            announced.sin_port = port.bigEndian
            let host = isClassic ? words[1...4].joined(separator: ".") : words[2]
            guard inet_pton(AF_INET, host, &announced.sin_addr) == 1 else {
                throw Problem(description: "no address: \(line)")
            }
        }

        mutating func connectData(from host: String) throws {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var local = sockaddr_in()
            local.sin_family = sa_family_t(AF_INET)
            inet_pton(AF_INET, host, &local.sin_addr)
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafePointer(to: local) { local in
                local.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            let connected = withUnsafePointer(to: announced) { remote in
                remote.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
            }
            guard code == 0, connected == 0 else {
                throw Problem(description: "not connected: \(Errno(rawValue: errno))")
            }
            if host == "127.0.0.1" {
                data = descriptor
            } else {
                defer { Glibc.close(descriptor) }
                while try read(descriptor) != nil {}
            }
        }

        func flood(_ line: [UInt8], _ piece: Int) {
            while true {
                for start in stride(from: 0, to: line.count, by: min(piece, line.count)) {
                    let part = line[start...].prefix(piece)
                    let sent = part.withUnsafeBytes {
                        Glibc.send(control, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    if sent < 0 { return }
                    // Slower than the client, so that each byte finds it waiting.
                    if piece == 1 { usleep(5_000) }
                }
            }
        }

        func write(_ text: String) throws {
            let bytes = Array(text.utf8)
            guard Glibc.send(control, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
                throw Problem(description: "not sent: \(text)")
            }
        }

        mutating func readLine() throws -> String? {
            while true {
                if let end = pending.firstIndex(of: 0x0A) {
                    let line = pending[..<end].filter { $0 != 0x0D }
                    pending.removeFirst(end + 1)
                    return String(decoding: line, as: UTF8.self)
                }
                guard let more = try read(control) else { return nil }
                pending += more
            }
        }

        func read(_ descriptor: Int32) throws -> [UInt8]? {
            try wait(descriptor)
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            return count > 0 ? Array(buffer[..<count]) : nil
        }

        func wait(_ descriptor: Int32) throws {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 15_000) == 1 else { throw Problem(description: "waited in vain") }
        }

        mutating func finish() {
            for descriptor in [control, dataListener, data] where descriptor >= 0 { Glibc.close(descriptor) }
        }
    }
}
