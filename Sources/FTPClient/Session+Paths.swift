import FTPProtocol
import Logging
import Threading
import Vocabulary

extension Session {
    /// The root as the server writes it. Asks with `PWD` when it is not known, which must happen in the base directory.
    func root(_ cancellation: Cancellation) throws(FTPError) -> ServerProfile.Root {
        let known = server.known.root
        if known != .unknown { return known }
        try returnToBase(cancellation)
        let reply = try exchange(Command("PWD"), cancellation)
        learnRoot(reply)
        // A directory that is not absolute: a system with other names, which may know those of Unix too.
        if server.known.root == .relative, reply.code == 257, WorkingDirectoryReply.parse(reply.text) != nil,
            try prepareForSystem(cancellation)
        {
            learnRoot(try exchange(Command("PWD"), cancellation))
        }
        return server.known.root
    }

    /// Takes the answer to a `PWD` in the base directory.
    func learnRoot(_ reply: Reply) {
        var root = ServerProfile.Root.relative
        if reply.code == 257, var path = WorkingDirectoryReply.parse(reply.text), path.first == 0x2F {
            while path.count > 1, path.last == 0x2F { path.removeLast() }
            root = .absolute(Self.withoutTelnetEscapes(path))
        }
        let learned = root
        server.learn { $0.root = learned }
    }

    /// vsftpd doubles 0xFF in replies, but not in commands. A name with two of them in a row is not to be expected.
    private static func withoutTelnetEscapes(_ path: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var isSecond = false
        for byte in path {
            isSecond = byte == 0xFF && result.last == 0xFF && !isSecond
            if !isSecond { result.append(byte) }
        }
        return result
    }

    // MARK: - Character sets

    /// Bytes of a name or path as the server writes them.
    ///
    /// - Throws: `invalidArgument` for a name that does not exist in the server's character set.
    func wireBytes(_ local: [UInt8]) throws(FTPError) -> [UInt8] { try server.wireBytes(local) }

    /// Bytes of a name or path of the server as this program and Linux write them.
    func localBytes(_ wire: [UInt8]) -> [UInt8] { server.configuration.charset?.local(wire) ?? wire }

    /// The entry of a listing with its name, and where it leads, as this program writes them.
    ///
    /// - Returns: `nil` for a name that is then too long for Linux; it is logged.
    func local(_ entry: ListingEntry) -> ListingEntry? {
        guard let charset = server.configuration.charset else { return entry }
        var entry = entry
        if let target = entry.linkTarget { entry.linkTarget = charset.local(target) }
        do throws(FileName.Invalid) {
            entry.name = try FileName(validating: charset.local(entry.name.bytes))
            return entry
        } catch {
            logger.warning("\(printable(charset.local(entry.name.bytes))) is left out: the name is \(error)")
            return nil
        }
    }

    // MARK: - Paths

    /// A path as a command carries it.
    ///
    /// - Throws: `invalidArgument` for a path that is longer than a server can take.
    func wirePath(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> [UInt8] {
        let wire: [UInt8]
        switch try root(cancellation) {
        case .absolute(let root):
            if path.isRoot { return root }
            wire = (root.last == 0x2F ? root : root + [0x2F]) + (try wireBytes(path.joined))
        case .relative, .unknown:
            try returnToBase(cancellation)
            wire = path.isRoot ? [0x2E] : try wireBytes(path.joined)
        }
        // PATH_MAX of Linux. Servers have line buffers of that size and cut what is longer, which would name something
        // else.
        guard wire.count < 4096 else { throw .invalidArgument("a path of \(wire.count) bytes is too long") }
        return wire
    }

    /// The path of something that the command makes.
    ///
    /// - Throws: `invalidArgument` also for a name that this server would store as another one.
    func wirePath(ofNew path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> [UInt8] {
        if let name = path.name { try server.check(newName: name) }
        return try wirePath(path, cancellation)
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

    /// Whether the working directory is this directory, or below it.
    func isInside(_ directory: RemotePath) -> Bool {
        guard case .below(let here) = location else { return false }
        return here.components.starts(with: directory.components)
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
            for _ in path.components { try goUp(cancellation) }
        case (.unknown, _):
            // Without an absolute path there is no way back: this login is spent, a new one starts in the base.
            let reason = FTPError.connectionLost(.beforeCommand, reason: "the working directory is not known any more")
            control.fail(reason)
            throw reason
        }
        location = .base
    }

    private func goUp(_ cancellation: Cancellation) throws(FTPError) {
        if server.known.hasParentCommand {
            do throws(FTPError) {
                try complete(Command("CDUP"), cancellation)
                return
            } catch {
                guard error.isNotImplemented else { throw error }
                server.learn { _ = $0.strikeOut("CDUP") }
            }
        }
        try complete(Command("CWD", ".."), cancellation)
    }
}

extension SharedServer {
    /// Bytes of a name or path as the server writes them.
    ///
    /// - Throws: `invalidArgument` for a name that does not exist in the server's character set.
    func wireBytes(_ local: [UInt8]) throws(FTPError) -> [UInt8] {
        guard let charset = configuration.charset else { return local }
        guard let wire = charset.wire(local) else {
            configuration.logger.warning(
                "\(printable(local)) cannot be written in \(charset.name), the character set of the server")
            throw .invalidArgument("\(printable(local)) cannot be written in \(charset.name) (option charset)")
        }
        return wire
    }

    /// Looks whether the server can have a name at all. Sends nothing.
    ///
    /// - Throws: `invalidArgument` for one that is not in its character set, that it refuses, or that it would store as
    ///   another one.
    func check(newName name: FileName) throws(FTPError) {
        let wire = try wireBytes(name.bytes)
        let known = known
        if known.replacesTrailingBlanks, let last = wire.last, last == 0x20 || last == 0x09 {
            throw .invalidArgument("this server would put '_' for the blank at the end of the name \(name)")
        }
        if let byte = wire.first(where: { known.refusedBytes.contains($0) }) {
            throw .invalidArgument("this server takes no \(printable([byte])) in a name, as there is in \(name)")
        }
    }
}
