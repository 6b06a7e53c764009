package import SystemPackage

/// What went wrong with an operation, in the terms of a file system.
///
/// The store says it (it knows what the server answered), the file system passes it on or says it itself, and the bridge
/// gives the kernel ``Kind/errno``. The reason travels along for the log.
package struct StoreError: Error, Hashable, Sendable {
    /// The meanings that programs can tell apart.
    package enum Kind: Hashable, Sendable, CaseIterable {
        /// There is no such file or directory.
        case notFound
        /// The name is taken.
        case exists
        /// The directory holds entries.
        case notEmpty
        /// A directory was needed, and this is something else.
        case notDirectory
        /// Something else than a directory was needed.
        case isDirectory
        /// The server does not let this user do it.
        case denied
        /// The operation is understood but not allowed on this kind of thing (rename of the root, …).
        case notPermitted
        /// The name, or another argument, can never be valid.
        case invalidArgument
        /// The name is longer than 255 bytes.
        case nameTooLong
        /// The server's disk, or the spool, is full.
        case noSpace
        /// The user's share of the server's disk is used up.
        case quotaExceeded
        /// The file is larger than the server, or this program, takes.
        case tooLarge
        /// The file is in use on the server.
        case busy
        /// The mount is read-only.
        case readOnly
        /// FTP, or this server, has no means to do it.
        case unsupported
        /// The file changed on the server while it was being read here.
        case changedRemotely
        /// The server did not answer in time.
        case timedOut
        /// No connection to the server could be made.
        case unreachable
        /// The connection was lost, and it is not known whether the operation was done; or a local disk failed.
        case inputOutput
        /// The server said something that is not FTP.
        case protocolViolation
        /// Nobody waits for the answer any more.
        case cancelled
        /// The handle is not open, or not open for this.
        case badHandle
        /// This process has no descriptor, memory or thread left.
        case noResources
    }

    /// What it means.
    package let kind: Kind
    /// Where it comes from, for one line of the log: the server's reply, the system call. Never a secret.
    package let reason: String

    /// Whether the request was cut off on its way, so that another attempt may succeed where this one did not.
    package let isInterruption: Bool

    /// Whether what was begun may still be carried out: thrown by ``RemoteStore/openWrite(_:mode:head:size:whenWanted:cancellation:)``
    /// when a write may have begun and nobody knows whether it has ended (``RemoteWriteStream/mayGoOn``).
    package var mayGoOn = false

    /// An error of a kind, with the reason for the log.
    package init(_ kind: Kind, _ reason: String, isInterruption: Bool = false) {
        self.kind = kind
        self.reason = reason
        self.isInterruption = isInterruption
    }
}

extension StoreError.Kind {
    /// The number that a program gets.
    ///
    /// ENOSYS is never used: for several operations the kernel takes it as "never ask again".
    package var errno: Errno {
        switch self {
        case .notFound: .noSuchFileOrDirectory
        case .exists: .fileExists
        case .notEmpty: .directoryNotEmpty
        case .notDirectory: .notDirectory
        case .isDirectory: .isDirectory
        case .denied: .permissionDenied
        case .notPermitted: .notPermitted
        case .invalidArgument: .invalidArgument
        case .nameTooLong: .fileNameTooLong
        case .noSpace: .noSpace
        case .quotaExceeded: .diskQuotaExceeded
        case .tooLarge: .fileTooLarge
        case .busy: .resourceBusy
        case .readOnly: .readOnlyFileSystem
        case .unsupported: .notSupportedOnSocket
        case .changedRemotely: .staleNFSFileHandle
        case .timedOut: .timedOut
        case .unreachable: .noRouteToHost
        case .inputOutput: .ioError
        case .protocolViolation: .protocolError
        case .cancelled: .interrupted
        case .badHandle: .badFileDescriptor
        case .noResources: .tooManyOpenFilesInSystem
        }
    }
}

extension StoreError: CustomStringConvertible {
    /// The kind and the reason, for the log.
    package var description: String { "\(kind): \(reason)" }
}

extension StoreError {
    /// Whether trying the same again will be answered in the same way.
    var isVerdict: Bool {
        switch kind {
        case .noSpace, .quotaExceeded, .tooLarge: true
        default: isRefusal
        }
    }
}
