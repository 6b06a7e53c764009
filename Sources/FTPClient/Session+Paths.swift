import FTPProtocol
import Threading
import Vocabulary

extension Session {
    /// The root as the server writes it. Asks with `PWD` when it is not known, which must happen in the base directory.
    func root(_ cancellation: Cancellation) throws(FTPError) -> ServerProfile.Root {
        let known = server.known.root
        if known != .unknown { return known }
        try returnToBase(cancellation)
        learnRoot(try exchange(Command("PWD"), cancellation))
        return server.known.root
    }

    /// A path as a command carries it.
    ///
    /// - Throws: `invalidArgument` for a path that is longer than a server can take.
    func wirePath(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> [UInt8] {
        let wire: [UInt8]
        switch try root(cancellation) {
        case .absolute(let root):
            if path.isRoot { return root }
            wire = (root.last == 0x2F ? root : root + [0x2F]) + path.joined
        case .relative, .unknown:
            try returnToBase(cancellation)
            wire = path.isRoot ? [0x2E] : path.joined
        }
        // PATH_MAX of Linux. Servers have line buffers of that size and cut what is longer, which would name something
        // else.
        guard wire.count < 4096 else { throw .invalidArgument("a path of \(wire.count) bytes is too long") }
        return wire
    }

    /// Makes a directory the working directory.
    func changeDirectory(to path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        if location == .below(path) || (path.isRoot && location == .base) { return }
        if path.isRoot {
            try returnToBase(cancellation)
            return
        }
        let wire = try wirePath(path, cancellation)
        let before = location
        location = .unknown
        let reply = try exchange(Command("CWD", wire), cancellation)
        guard reply.category == .completion else {
            location = before
            throw .refused(verb: "CWD", reply)
        }
        location = .below(path)
    }

    /// Makes the base directory the working directory again.
    func returnToBase(_ cancellation: Cancellation) throws(FTPError) {
        switch (location, server.known.root) {
        case (.base, _):
            return
        case (_, .absolute(let root)):
            location = .unknown
            try complete(Command("CWD", root), cancellation)
        case (.below(let path), _):
            location = .unknown
            for _ in path.components { try complete(Command("CDUP"), cancellation) }
        case (.unknown, _):
            // Without an absolute path there is no way back: this login is spent, a new one starts in the base.
            let reason = FTPError.connectionLost(.beforeCommand, reason: "the working directory is not known any more")
            control.fail(reason)
            throw reason
        }
        location = .base
    }
}
