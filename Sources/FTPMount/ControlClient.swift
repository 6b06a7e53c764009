import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A command's side of the control socket.
struct ControlClient {
    /// Under which mount points the socket may have been made, and by whom.
    let names: [String]
    let owner: uid_t

    /// How long a running process may take for an answer that it gives at once. A machine that is busy swapping does.
    static let patience = Duration.seconds(10)

    /// Why there is no answer.
    enum Failure: Error, Hashable {
        /// There is no socket, or nobody behind it.
        case unreachable
        /// This user may not ask.
        case denied
        /// It is there, and does not answer.
        case silent
        /// It has ended instead.
        case ended
        /// It said no, and why.
        case refused(String)
        case system(Errno)
    }

    /// Why nobody can be asked; `nil`: somebody can.
    var obstacle: Failure? {
        do throws(Failure) {
            try connect().close()
            return nil
        } catch {
            return error
        }
    }

    /// Asks, and waits for the answer.
    func ask(_ request: ControlMessage.Request, within patience: Duration = Self.patience) throws(Failure) -> JSON {
        let question = try Question(request, on: try connect())
        return try question.answer(until: .after(patience))
    }

    /// Asks for the status.
    func status(within patience: Duration = Self.patience) throws(Failure) -> MountStatus {
        try Self.status(in: try ask(.status, within: patience))
    }

    private static func status(in answer: JSON) throws(Failure) -> MountStatus {
        guard let status = answer["status"].flatMap(MountStatus.init(json:)) else {
            throw .refused("its answer cannot be understood; it may be of another version of ftpfs")
        }
        return status
    }

    /// The names that the socket may have.
    var paths: [FilePath] {
        ControlDirectory.candidates(of: owner).flatMap { directory in names.map { directory.socketPath($0) } }
    }

    /// The status of whoever is behind one socket.
    static func status(at path: FilePath, owner: uid_t, within patience: Duration) throws(Failure) -> MountStatus {
        let socket: ControlSocket
        do throws(ControlSocket.Failure) { socket = try connect(to: path, of: owner) } catch { throw Failure(error) }
        let question = try Question(.status, on: socket)
        return try status(in: try question.answer(until: .after(patience)))
    }

    /// Connects to whoever has the name.
    private func connect() throws(Failure) -> ControlSocket {
        var failure = Failure.unreachable
        for path in paths {
            do throws(ControlSocket.Failure) {
                return try Self.connect(to: path, of: owner)
            } catch {
                // What is missing in one place may be in the next; of all else the first reason is the best.
                if failure == .unreachable { failure = Failure(error) }
            }
        }
        throw failure
    }

    /// Connects, and sees that it is the owner of the mount, or root.
    private static func connect(to path: FilePath, of owner: uid_t) throws(ControlSocket.Failure) -> ControlSocket {
        let socket = try ControlSocket()
        do throws(ControlSocket.Failure) {
            try socket.connect(to: path)
            guard let peer = socket.peer, peer == owner || peer == 0 else { throw .foreign }
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    /// A question that has been asked and not been answered yet; given up when nobody has it any more.
    final class Question {
        private let socket: ControlSocket

        /// Connects and asks.
        convenience init(_ request: ControlMessage.Request, of client: ControlClient) throws(Failure) {
            try self.init(request, on: try client.connect())
        }

        /// Takes over a connected socket, and asks.
        fileprivate init(_ request: ControlMessage.Request, on socket: ControlSocket) throws(Failure) {
            self.socket = socket
            do throws(ControlSocket.Failure) {
                try socket.send(request.line, until: .after(ControlClient.patience))
            } catch {
                // Who lets nobody in says why before it hears what is wanted.
                guard error == .ended else { throw Failure(error) }
            }
        }

        deinit { socket.close() }

        /// Whether the answer, or the end, has come; waits for so long.
        func isAnswered(within span: Duration) -> Bool {
            var poller = pollfd(fd: socket.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            return poll(&poller, 1, Deadline.after(span).pollTimeout) > 0
        }

        /// The answer.
        func answer(until deadline: Deadline) throws(Failure) -> JSON {
            let line: [UInt8]
            do throws(ControlSocket.Failure) {
                line = try socket.receiveLine(atMost: ControlMessage.longestAnswer, until: deadline)
            } catch {
                throw Failure(error)
            }
            guard let answer = JSON(parsing: line) else { throw .refused("its answer cannot be understood") }
            guard answer["ok"]?.boolValue == true else {
                throw .refused(answer["error"]?.stringValue ?? "it does not say why")
            }
            return answer
        }
    }
}

extension ControlClient.Failure {
    init(_ failure: ControlSocket.Failure) {
        switch failure {
        case .missing, .abandoned: self = .unreachable
        case .denied, .foreign: self = .denied
        case .timedOut: self = .silent
        case .ended: self = .ended
        case .tooLong: self = .refused("its answer is too long")
        case .system(let error): self = .system(error)
        }
    }

    /// The line for a person.
    func failure(at place: MountedPlace) -> MountFailure {
        let mount = place.mountPoint
        switch self {
        case .unreachable where place.isDead:
            return MountFailure(
                .mountFailed, "\(mount): the process of this mount is gone", remedy: "run ftpfs unmount \(mount)")
        case .unreachable:
            return MountFailure(
                .mountFailed, "\(mount): the process of this mount cannot be reached, it has no control socket",
                remedy: "see its log")
        case .denied:
            return MountFailure(
                .usage, "\(mount): this mount belongs to another user", remedy: "ask its owner, or root")
        case .silent:
            return MountFailure(
                .mountFailed, "\(mount): the process of this mount does not answer", remedy: "see its log")
        case .ended:
            return MountFailure(.mountFailed, "\(mount): the mount has ended")
        case .refused(let reason):
            return MountFailure(.mountFailed, "\(mount): \(reason)")
        case .system(let error):
            return MountFailure(.system, "\(mount): the control socket cannot be used: \(error)")
        }
    }
}
