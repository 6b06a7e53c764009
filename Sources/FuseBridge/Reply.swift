import CFuseBridge
import FileSystem
import Logging
import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The one answer that a request of the kernel gets.
///
/// Exactly once, by construction: the type cannot be copied, every kind of answer consumes it, and a reply that is
/// dropped unanswered says EIO. Any thread may answer; no lock may be held that a `forget` or a `release` takes, because
/// the answer may be the last thing that the kernel needed of an inode or a handle.
struct Reply: ~Copyable, Sendable {
    private let request: Unmanaged<OpenRequest>

    init(to request: OpenRequest) {
        self.request = .passRetained(request)
    }

    deinit {
        let request = request.takeRetainedValue()
        request.bridge.logger.error("\(request.operation.rawValue): dropped without an answer")
        _ = request.answer { cfuse_reply_error($0, EIO) }
    }

    /// Whether the answer is still wanted, and who asks.
    func asked(by caller: cfuse_caller) -> Request {
        let process = caller.process
        return Request(
            userID: caller.user, groupID: caller.group, cancellation: request.takeUnretainedValue().cancellation,
            holdsOpen: { OpenDescriptors.hold($0.rawValue, process: process) })
    }

    // MARK: - Failure and bare success

    /// The error's number, and a line in the log: for debugging where it is what programs ask for all day.
    consuming func failure(_ error: StoreError) {
        let request = taken()
        request.bridge.logger.log(
            level: error.kind.isOrdinary ? .debug : .warning, "\(request.operation.rawValue): \(error)")
        _ = request.answer { cfuse_reply_error($0, error.kind.errno.rawValue) }
    }

    /// Success without data.
    consuming func success(_ nothing: Void) {
        _ = taken().answer { cfuse_reply_error($0, 0) }
    }

    // MARK: - Names and attributes

    /// Hands over one counted lookup, or gives it back when the kernel does not take the reply.
    consuming func entry(_ answer: EntryAnswer) {
        let request = taken()
        var entry = cfuse_entry(answer)
        if !request.answer({ cfuse_reply_entry($0, &entry) }) {
            request.bridge.fileSystem.forget(answer.attributes.inode, count: 1)
        }
    }

    /// An entry, or for how long there is none.
    consuming func lookup(_ answer: LookupAnswer) {
        switch answer {
        case .found(let found): entry(found)
        case .absent(let timeToLive): _ = taken().answer { cfuse_reply_absent($0, timeToLive.inSeconds) }
        }
    }

    /// The target of a link.
    consuming func link(_ target: [UInt8]) {
        // PATH_MAX counts the NUL that the kernel puts behind it.
        guard target.count < PATH_MAX else {
            return failure(StoreError(.nameTooLong, "the link's target has \(target.count) bytes"))
        }
        _ = taken().answer { cfuse_reply_bytes($0, target, target.count) }
    }

    /// What stat shows.
    consuming func attributes(_ answer: AttributesAnswer) {
        var attributes = cfuse_attributes(answer.attributes)
        _ = taken().answer { cfuse_reply_attributes($0, &attributes, answer.timeToLive.inSeconds) }
    }

    // MARK: - Files

    /// Hands over an open handle, or closes it when the kernel does not take the reply.
    consuming func opened(_ answer: OpenAnswer) {
        let request = taken()
        var opened = cfuse_opened(answer)
        if !request.answer({ cfuse_reply_opened($0, &opened) }) {
            request.bridge.fileSystem.release(answer.handle)
        }
    }

    /// Hands over a counted lookup and an open handle, or gives both back.
    consuming func created(_ answer: CreateAnswer) {
        let request = taken()
        var entry = cfuse_entry(answer.entry)
        var opened = cfuse_opened(answer.open)
        if !request.answer({ cfuse_reply_created($0, &entry, &opened) }) {
            request.bridge.fileSystem.release(answer.open.handle)
            request.bridge.fileSystem.forget(answer.entry.attributes.inode, count: 1)
        }
    }

    /// How many bytes were written.
    consuming func written(_ count: Int) {
        _ = taken().answer { cfuse_reply_written($0, count) }
    }

    /// The bytes read, as many of them as were asked for: the kernel refuses more.
    consuming func read(_ answer: ReadAnswer, atMost length: Int) {
        switch answer {
        case .failed(let error): failure(error)
        case .bytes(let pieces): self.pieces(pieces, atMost: length)
        }
    }

    // MARK: - Directories

    /// Hands over an open directory, or closes it when the kernel does not take the reply.
    consuming func openedDirectory(_ answer: OpenAnswer) {
        let request = taken()
        var opened = cfuse_opened(answer)
        if !request.answer({ cfuse_reply_opened_directory($0, &opened) }) {
            request.bridge.fileSystem.releaseDirectory(answer.handle)
        }
    }

    /// The entries collected for a readdir; gives their lookups back when the kernel does not take them.
    consuming func directory(_ listing: DirectoryBuffer) {
        let request = taken()
        if !request.answer({ cfuse_reply_bytes($0, listing.bytes.baseAddress, listing.bytes.count) }) {
            for inode in listing.counted { request.bridge.fileSystem.forget(inode, count: 1) }
        }
    }

    // MARK: - How

    /// Bytes in pieces, which the kernel joins: nothing is copied here, unless there are more than one writev(2) takes.
    private consuming func pieces(_ pieces: [UnsafeRawBufferPointer], atMost length: Int) {
        let request = taken()
        guard pieces.count <= Self.mostPieces else {
            let joined = Array(pieces.joined().prefix(length))
            _ = request.answer { cfuse_reply_bytes($0, joined, joined.count) }
            return
        }
        var vectors: [iovec] = []
        vectors.reserveCapacity(pieces.count)
        var left = length
        for piece in pieces where left > 0 && !piece.isEmpty {
            let size = min(left, piece.count)
            vectors.append(iovec(iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress), iov_len: size))
            left -= size
        }
        _ = request.answer { cfuse_reply_pieces($0, vectors, Int32(vectors.count)) }
    }

    /// IOV_MAX is 1024, and libfuse puts its header in front.
    private static let mostPieces = 1023

    /// The request, once: what is done with it from here on is the answer.
    consuming func taken() -> OpenRequest {
        let request = request.takeRetainedValue()
        discard self
        return request
    }
}

extension StoreError.Kind {
    /// Answers that programs cause and expect, which are no news for the log.
    fileprivate var isOrdinary: Bool {
        switch self {
        case .notFound, .exists, .notEmpty, .notDirectory, .isDirectory, .invalidArgument, .nameTooLong, .cancelled:
            true
        case .denied, .notPermitted, .noSpace, .quotaExceeded, .tooLarge, .busy, .readOnly, .unsupported,
            .changedRemotely, .timedOut, .unreachable, .inputOutput, .protocolViolation, .badHandle, .noResources:
            false
        }
    }
}
