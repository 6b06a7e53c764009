package import Vocabulary

/// One thing in a directory as a server lists it, in whatever format.
package struct ListingEntry: Hashable, Sendable {
    /// What it is.
    package enum Kind: Hashable, Sendable {
        case file
        case directory
        case symbolicLink
        /// A device, socket or FIFO: shown by Unix servers, useless over FTP.
        case special
    }

    /// How coarse ``modified`` is.
    package enum Precision: Hashable, Sendable {
        case second
        case minute
        case day
    }

    package var name: FileName
    package var kind: Kind
    /// Bytes; `nil` when the line does not say, or says something impossible.
    package var size: Int64?
    /// When the content was last changed; as if it were UTC when ``isLocalTime`` says that it is not.
    package var modified: Timestamp?
    /// Whether ``modified`` is in a zone that the line does not tell: the case of nearly all formats of `LIST`.
    package var isLocalTime = false
    package var precision: Precision
    /// Permission bits (07777).
    package var mode: UInt32?
    /// What a symbolic link points to; `nil` when it is not told, or cannot be a path. Without NUL, CR and LF.
    package var linkTarget: [UInt8]?

    package init(
        name: FileName, kind: Kind, size: Int64? = nil, modified: Timestamp? = nil, precision: Precision = .second,
        mode: UInt32? = nil, linkTarget: [UInt8]? = nil
    ) {
        self.name = name
        self.kind = kind
        self.size = size
        self.modified = modified
        self.precision = precision
        self.mode = mode
        self.linkTarget = linkTarget
    }
}
