import Threading
import Vocabulary

/// Something that the kernel knows, or that a handle stands for. Lives in the tree's monitor and never leaves it.
final class Inode {
    /// How it hangs in the tree.
    enum Link: Hashable {
        /// It has a name.
        case linked
        /// It was unlinked while open. It has a name on the server that nobody sees, and goes with its last handle.
        case hidden
        /// It has no name any more, here or on the server. Its handles live on what the spool holds.
        case gone
    }

    /// What of a file's attributes is known here only, while its content waits to be sent.
    struct LocalContent: Hashable {
        var size: Int64
        var modified: Timestamp
        /// The state of the content (``WriteState/revision``) that this describes.
        var revision: UInt64
    }

    let number: InodeNumber
    let kind: FileKind
    var link = Link.linked
    /// The directory and the name in it; `nil` for the root, and for what is ``Link/gone``.
    var place: (parent: InodeNumber, name: FileName)?
    /// The live entries of a directory.
    var children: [FileName: InodeNumber] = [:]

    /// How many lookups the kernel holds.
    var lookups: UInt64 = 0
    /// How many handles are open, and how many of them read and write.
    var handles = 0
    var readers = 0
    var writers = 0
    /// How many of the handles are the mount's own, by which it keeps a file that waits to be sent.
    var queueHolds = 0
    /// Something is being asked for ahead of a wish for it.
    var isAwaited = false

    /// What the server was last known to say.
    var attributes: RemoteAttributes
    /// A better modification time than the server's.
    var ownTime: OwnTime?
    /// Permission bits set here that the server cannot store. They live as long as the inode.
    var ownMode: UInt32?
    /// Whether the server has made the file for us and nobody has set its mode: what a listing shows of it then is
    /// what the server gives.
    var hasUsualMode = false
    /// What is not on the server yet.
    var local: LocalContent?
    /// The last revision of the content that the server has: a late note about an older one is no news.
    var sentRevision: UInt64 = 0

    /// Another number whenever the content on the server is another one; unique in the mount.
    var version: UInt64
    /// The version (for a directory: the generation of its record) at the last open: while it lasts, the kernel may
    /// keep what it has cached.
    var versionAtOpen: UInt64?
    /// Whether no temporary names can be used in this directory.
    var refusesTemporaries = false
    /// What a file's handles share; there as long as a handle is.
    var content: FileContent?
    /// What fetches a file ahead, until it is opened.
    var readerAhead: FileReader?

    init(number: InodeNumber, kind: FileKind, attributes: RemoteAttributes, version: UInt64) {
        self.number = number
        self.kind = kind
        self.attributes = attributes
        self.version = version
    }

    /// Whether somebody removes what it is on the server, with the last handle.
    private var isBeingRemoved = false

    /// Whether another file is about to get the name that it had. Until that is done, it may have to come back.
    var isBeingReplaced = false

    /// Whether the caller has to remove what it is on the server: it is hidden for good, nobody has it open, and nobody else
    /// does it.
    func takeRemoval() -> Bool {
        guard link == .hidden, handles == 0, !isBeingRemoved, !isBeingReplaced else { return false }
        isBeingRemoved = true
        return true
    }

    /// Whether anything needs it.
    var isHeld: Bool {
        lookups > 0 || handles > 0 || isAwaited || isBeingReplaced || !children.isEmpty || number == .root
    }
}

extension Inode {
    /// What a stream of the file must find again when it is taken up: no time that only we have in view. Our clock's time of
    /// an upload is a second off now and then, and that is no reason to end a reader with ESTALE.
    var expected: RemoteAttributes {
        var expected = attributes
        switch ownTime {
        case .guessed, .kept: expected.modified = nil
        case .shown, .stored, nil: break
        }
        return expected
    }
}
