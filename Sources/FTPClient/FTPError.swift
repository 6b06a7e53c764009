package import FTPProtocol
package import SystemPackage
package import Vocabulary

/// What went wrong between this client and its server, as the server or the network said it.
///
/// What it means for a file is not decided here: a 550 stands for everything (see `FTPStore`).
package enum FTPError: Error, Hashable, Sendable {
    /// The server answered a command with a 4yz or 5yz.
    case refused(verb: String, Reply)
    /// The server did not let this user in.
    case loginRefused(Reply)
    /// The server, or this program by its own limit, takes no further connection now.
    case tooManyConnections(Reply)
    /// The server does not take the command that TLS, or the encryption of data, begins with; the user wants that.
    case tlsRefused(command: String, Reply)
    /// TLS did not come about, or the server does not let it be used as it should. The text says why, with the remedy.
    case tlsFailed(String)
    /// The server's certificate is not good enough; with the pin of its key.
    case certificateRejected(CertificateProblem, pin: CertificatePin)
    /// What the user has said about TLS cannot be done on this side: a file that is no certificate, a wrong key.
    case tlsSettings(String)
    /// The directory to be mounted is not there, or not reachable for this user.
    case baseDirectoryRefused(path: [UInt8], Reply)
    /// The control or data connection ended before the answer was complete.
    case connectionLost(LostPoint, reason: String)
    /// A wait reached its deadline.
    case timedOut(Phase)
    /// No address of the host took a connection.
    case unreachable(host: String, Errno)
    /// The proxy did not make the connection; why.
    case proxyFailed(String)
    /// The host has no address.
    case unknownHost(String, reason: String)
    /// What answers at the port does not speak FTP.
    case notFTP(String)
    /// The server speaks FTP, but what it said makes no sense here, or is larger than any honest answer.
    case protocolViolation(String)
    /// A name, path or number that cannot be sent.
    case invalidArgument(String)
    /// The server has no command for it.
    case unsupported(String)
    /// The request was cancelled.
    case cancelled
    /// The file is no longer the one that was opened.
    case changedRemotely(path: RemotePath)
    /// A system call on this side failed for a reason that has nothing to do with the server.
    case localFailure(Errno, doing: String)
    /// The client has been closed.
    case closed

    /// How far a command had come when its connection was lost.
    package enum LostPoint: Hashable, Sendable {
        /// The server cannot have acted on the command: it may be sent again, whatever it is.
        case beforeCommand
        /// The command was sent; whether the server acted on it is not known.
        case afterCommand
    }

    /// What was being waited for.
    package enum Phase: Hashable, Sendable {
        case resolving
        case connecting
        case proxy
        case greeting
        case tlsHandshake
        case login
        case reply(verb: String)
        case dataConnection
        case dataTransfer
        case finalReply
    }
}

extension FTPError: CustomStringConvertible {
    /// One sentence: the cause, and what helps where something does.
    package var description: String {
        switch self {
        case .refused(let verb, let reply):
            return "the server refused \(verb): \(reply.summary)"
        case .loginRefused(let reply):
            return "the server refused the login: \(reply.summary); \(Self.advice(onLogin: reply))"
        case .tooManyConnections(let reply):
            return "the server takes no more connections: \(reply.summary); close other clients or try again later"
        case .tlsRefused("PROT P", let reply):
            return "the server refused to encrypt files and listings (PROT P): \(reply.summary);"
                + " tls_data=clear sends them in the clear, and only user and password encrypted"
        case .tlsRefused(let command, let reply):
            return
                "the server refused TLS (\(command)): \(reply.summary); it may offer TLS from the first byte (ftps://,"
                + " port 990); tls=off sends everything in the clear"
        case .tlsFailed(let what):
            return what
        case .certificateRejected(let problem, let pin):
            return problem.sentence(pin)
        case .tlsSettings(let what):
            return what
        case .baseDirectoryRefused(let path, let reply):
            return "the directory \(printable(path)) cannot be entered: \(reply.summary);"
                + " check that it exists on the server and that this user may enter it"
        case .connectionLost(_, let reason):
            return "the connection to the server was lost: \(reason)"
        case .timedOut(let phase):
            return phase.description
        case .unreachable(let host, let errno):
            return "cannot connect to \(host): \(errno); check the host, the port and any firewall between"
        case .proxyFailed(let reason):
            return reason
        case .unknownHost(let host, let reason):
            return "the host \(host) is not known: \(reason); check its spelling and the name service"
        case .notFTP(let excerpt):
            return "what answers there is not an FTP server (it said \"\(excerpt)\"); check the host and the port"
        case .protocolViolation(let what):
            return "the server broke the FTP protocol: \(what)"
        case .invalidArgument(let what):
            return "this cannot be sent to an FTP server: \(what)"
        case .unsupported(let what):
            return "this server cannot \(what)"
        case .cancelled:
            return "the request was cancelled"
        case .changedRemotely(let path):
            return "\(path) changed on the server while it was being read; open it again"
        case .localFailure(let errno, let action):
            let isLimit = errno == .tooManyOpenFiles
            let remedy = isLimit ? "; allow more open files (ulimit -n, LimitNOFILE= of a service)" : ""
            return "\(action) failed: \(errno)\(remedy)"
        case .closed:
            return "the client has been closed"
        }
    }
}

extension FTPError.Phase: CustomStringConvertible {
    /// The sentence of a time-out in this phase.
    package var description: String {
        switch self {
        case .resolving: "the name service did not answer in time"
        case .connecting: "the server did not take the connection in time; check the host, the port and any firewall"
        case .proxy: "the proxy did not make the connection in time; check proxy= and what the proxy can reach"
        case .greeting: "the server took the connection but did not greet in time"
        case .tlsHandshake: "the server did not finish the TLS handshake in time"
        case .login: "the server did not finish the login in time"
        case .reply(let verb): "the server did not answer \(verb) in time"
        case .dataConnection:
            "no data connection could be made in time; check that a firewall lets the server's passive ports through"
        case .dataTransfer: "the transfer stood still for too long"
        case .finalReply: "the server did not confirm the transfer in time"
        }
    }
}

extension FTPError {
    /// What helps besides where nobody has got through to this server yet, and the address may be wrong; it begins with "; ".
    package var adviceOnFirstContact: String {
        guard case .timedOut(.greeting) = self else { return "" }
        return "; check that the port is that of FTP, and mount a port where TLS comes first (usually 990) as ftps://"
    }

    /// What helps where a login was refused.
    private static func advice(onLogin reply: Reply) -> String {
        if reply.mentionsEncryption { return "mount with tls=explicit" }
        return reply.says(.accountClosed)
            ? "the server's administrator can open the account again" : "check the user name and the password"
    }

    /// Whether the connection was lost in a way that leaves nothing done.
    var leftNothingDone: Bool {
        if case .connectionLost(.beforeCommand, _) = self { return true }
        return false
    }

    /// Whether the connection was lost, at whatever point.
    var isConnectionLoss: Bool {
        if case .connectionLost = self { return true }
        return false
    }

    /// The reply behind a refusal of a command.
    package var refusal: Reply? {
        if case .refused(_, let reply) = self { return reply }
        return nil
    }

    /// Whether the server broke a download off for a reason that may be gone the next time: 426 (transfer aborted), 451
    /// (local error; RFC 959 §4.2.2), or a 5yz that speaks of a broken connection, as some servers have it.
    var isBrokenDownload: Bool {
        guard case .refused(let verb, let reply) = self, ["RETR", "LIST", "MLSD"].contains(verb) else { return false }
        if reply.code == 426 || reply.code == 451 { return true }
        return isBrokenInBetween
    }

    /// Whether the server does not know the command, or not with these parameters (500, 501, 502, 504; RFC 959 §4.2.2).
    var isNotImplemented: Bool {
        if isBrokenInBetween { return false }
        return switch refusal?.code {
        case 500, 501, 502, 504: true
        // 402 is what some servers say for 502. 202, "superfluous at this site", and 200 are refusals too where
        // something else was asked for than that it be done.
        case 402, 202, 200: true
        default: false
        }
    }

    /// Whether the words of a refusal say that something broke which has nothing to do with the request.
    var isBrokenInBetween: Bool {
        guard let reply = refusal, reply.category == .permanentNegative else { return false }
        return reply.says(.brokenInBetween)
    }
}

extension Reply {
    /// The code and the last line, for a message.
    var summary: String {
        let text = printable(self.text)
        return text.isEmpty ? "\(code)" : "\(code) \(text)"
    }

    /// All lines in one, in lower-case ASCII, for looking for words. Bytes above ASCII stay as they are.
    package var lowercasedText: [UInt8] {
        var all: [UInt8] = []
        for line in lines {
            if !all.isEmpty { all.append(0x20) }
            for byte in line { all.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) }
        }
        return all
    }

    /// Whether the text holds one of the given words, which are in lower-case.
    package func mentions(_ words: [String]) -> Bool {
        let text = lowercasedText
        return words.contains { text.holds(Array($0.utf8)) }
    }
}

extension [UInt8] {
    /// Whether another run of bytes occurs in this one. For short texts: it compares at every place.
    func holds(_ other: [UInt8]) -> Bool {
        guard !other.isEmpty, other.count <= count else { return other.isEmpty }
        return (0...(count - other.count)).contains { self[$0..<($0 + other.count)].elementsEqual(other) }
    }
}
