import FTPClient
import FTPProtocol
import FileSystem
import Threading
import Vocabulary

/// What a refusal means, by what was asked.
///
/// | asked for | looked at | and the refusal means |
/// | --- | --- | --- |
/// | listing, reading, changing, removing a thing | the thing | absent: `notFound`; another kind than needed: `notDirectory`, `isDirectory`; else `denied` |
/// | making a thing | the thing | there: `exists` |
/// | | else its parent | absent: `notFound`; no directory: `notDirectory`; else `denied` |
/// | writing a file | the thing | a directory: `isDirectory`; a file: `denied` |
/// | | else its parent | as for making |
/// | renaming | the source, unless it was `RNTO` that was refused | absent: `notFound` |
/// | | else the target | there: `exists` (some servers do not replace) |
/// | | else the parent of the target | as for making |
///
/// A look costs a round trip, or one listing; it is made for a refusal only, and its own failure changes nothing: then
/// the reply's code and words decide. Words alone decide where no look could tell: a full disk, a quota, a file in use.
/// They are in `ReplyWords.swift`.
extension FTPStore {
    /// What was asked of the server.
    enum Operation {
        case list(RemotePath)
        case look(RemotePath)
        case read(RemotePath)
        case write(RemotePath)
        case makeDirectory(RemotePath)
        case makeSymbolicLink(RemotePath)
        case removeDirectory(RemotePath)
        case removeFile(RemotePath)
        case rename(RemotePath, to: RemotePath)
        case setAttributes(RemotePath)
    }

    /// Turns an error of the client into one of the store, looking at the server where only that can tell.
    func explain(_ error: FTPError, _ operation: Operation, _ cancellation: Cancellation) -> StoreError {
        let plain = StoreError(error)
        guard case .refused(let verb, let reply) = error, Self.isVague(reply) else { return plain }
        if let kind = Self.meaningOfWords(reply, operation) { return StoreError(kind, plain.reason) }
        guard let kind = meaning(of: reply, verb, operation, cancellation) else { return plain }
        return StoreError(kind, plain.reason)
    }

    /// Whether the code leaves open what is wrong.
    private static func isVague(_ reply: Reply) -> Bool {
        switch reply.code {
        // 450 is "file busy" by the RFC, and "no such file" on ProFTPD; 501 and 521 are said of MKD for many reasons;
        // 451 is what some servers answer to an RNTO over an existing file, and many where the disk is full.
        case 450, 451, 501, 521, 550, 553: true
        default: false
        }
    }

    /// What only words can say. - Returns: `nil` for everything that a look tells better.
    private static func meaningOfWords(_ reply: Reply, _ operation: Operation) -> StoreError.Kind? {
        switch operation {
        case .write, .makeDirectory, .makeSymbolicLink, .rename:
            if reply.says(.quotaExceeded) { return .quotaExceeded }
            if reply.says(.noSpace) { return .noSpace }
        case .list, .look, .read, .removeDirectory, .removeFile, .setAttributes:
            break
        }
        return reply.says(.busy) && !reply.says(.notFound) ? .busy : nil
    }

    private func meaning(
        of reply: Reply, _ verb: String, _ operation: Operation, _ cancellation: Cancellation
    ) -> StoreError.Kind? {
        switch operation {
        case .look:
            return nil
        case .list(let path), .removeDirectory(let path):
            return existing(path, reply, needed: .directory, cancellation)
        case .read(let path), .removeFile(let path):
            return existing(path, reply, needed: .file, cancellation)
        case .setAttributes(let path):
            return existing(path, reply, needed: nil, cancellation)
        case .makeDirectory(let path), .makeSymbolicLink(let path):
            switch found(path, cancellation) {
            // Where the case of letters does not count, the name that is there is another one than was asked for.
            case .nothing: return reply.saysExists ? .exists : making(path, reply, cancellation)
            case .something: return .exists
            case .unknown: return reply.says(.exists) ? .exists : nil
            }
        case .write(let path):
            switch found(path, cancellation) {
            case .nothing: return making(path, reply, cancellation)
            case .something(.directory): return .isDirectory
            case .something: return refused(reply)
            case .unknown: return nil
            }
        case .rename(let path, let target):
            return renaming(path, target, reply, verb, cancellation)
        }
    }

    /// For what is there and may be used like that: 450 says that it is in use, 451 that something broke.
    private func refused(_ reply: Reply) -> StoreError.Kind? {
        switch reply.code {
        case 450: .busy
        case 451: nil
        default: .denied
        }
    }

    /// For what must be there already.
    private func existing(
        _ path: RemotePath, _ reply: Reply, needed: FileKind?, _ cancellation: Cancellation
    ) -> StoreError.Kind? {
        switch found(path, cancellation) {
        case .nothing:
            return .notFound
        case .something(let kind):
            if needed == .directory, kind == .file { return .notDirectory }
            if needed == .file, kind == .directory { return .isDirectory }
            if needed == .directory, reply.says(.notEmpty) { return .notEmpty }
            // A link that leads nowhere is there, and what it names is not.
            if kind == .symbolicLink, !reply.saysDenied { return .notFound }
            return refused(reply)
        case .unknown:
            return nil
        }
    }

    /// For what is not there and could not be made.
    private func making(
        _ path: RemotePath, _ reply: Reply, _ cancellation: Cancellation
    ) -> StoreError.Kind? {
        switch found(path.parent, cancellation) {
        case .nothing: return .notFound
        case .something(.file): return .notDirectory
        // 501: the name itself is not one for this server.
        case .something: return reply.code == 501 ? .invalidArgument : refused(reply)
        case .unknown: return nil
        }
    }

    private func renaming(
        _ path: RemotePath, _ target: RemotePath, _ reply: Reply, _ verb: String, _ cancellation: Cancellation
    ) -> StoreError.Kind? {
        // Where RNTO is refused, RNFR has found the source.
        if verb != "RNTO" {
            switch found(path, cancellation) {
            case .nothing: return .notFound
            case .unknown: return nil
            case .something: break
            }
        }
        switch found(target, cancellation) {
        case .unknown: return nil
        case .nothing: return making(target, reply, cancellation)
        // The server has not heard of the target yet.
        case .something where verb == "RNFR": return refused(reply)
        case .something(.directory): return reply.says(.notEmpty) ? .notEmpty : .exists
        case .something: return .exists
        }
    }

    private enum Found {
        case nothing
        case something(FileKind)
        /// The look itself failed.
        case unknown
    }

    private func found(_ path: RemotePath, _ cancellation: Cancellation) -> Found {
        do throws(StoreError) {
            guard let attributes = try look(at: path, cancellation: cancellation) else { return .nothing }
            return .something(attributes.kind)
        } catch {
            return error.kind == .notFound ? .nothing : .unknown
        }
    }
}

extension Reply {
    /// Whether the text says that there is such a thing already: "does not exist" does not.
    fileprivate var saysExists: Bool {
        mentions(["already exist", "file exists", "directory exists", "existe d", "bereits"])
    }
}
