/// The beginning of what an upload brings, known when it begins: it may go out with the command.
package struct UploadHead: Hashable, Sendable {
    /// The descriptor of the local file that it comes from, open until the upload has begun; `nil` for no bytes.
    package let file: Int32?
    /// Which of its bytes.
    package let range: Range<Int64>
    /// Whether no more follow.
    package let isAll: Bool

    /// The beginning of an upload; no bytes, and all of it, for an empty file.
    package init(file: Int32?, range: Range<Int64>, isAll: Bool) {
        self.file = file
        self.range = range
        self.isAll = isAll
    }
}

/// What has to be known of the size of a file before bytes are put behind those that it has, or over them.
package enum SizeQuestion: Hashable, Sendable {
    /// Nothing.
    case none
    /// Which it is. The bytes go to the end, wherever that is.
    case tell
    /// Whether it is this one. If it is not, no byte goes.
    case require(Int64)
}

/// What a server has said of the size of a file.
package enum SizeAnswer: Hashable, Sendable {
    /// It is so long, in bytes.
    case size(Int64)
    /// There was no such file.
    case noFile
    /// It was not asked, or does not say.
    case unknown
}

/// What is left to be done when the last byte of an upload has been handed over. A server that takes it in the flight of
/// those bytes saves the round trips of doing it afterwards.
package struct UploadErrands: Hashable, Sendable {
    /// Permission bits to be set.
    package var mode: UInt32?
    /// The modification time to be set.
    package var time: Timestamp?
    /// Whether the size is to be looked at.
    package var asksSize: Bool

    /// Nothing, unless it is said.
    package init(mode: UInt32? = nil, time: Timestamp? = nil, asksSize: Bool = false) {
        self.mode = mode
        self.time = time
        self.asksSize = asksSize
    }

    /// Which of them have been done. What has not was not tried, or was refused: whoever does it again hears why.
    package struct Outcome: Hashable, Sendable {
        /// Whether the permission bits have been set.
        package var isModeSet = false
        /// Whether the time has been set.
        package var isTimeSet = false
        /// How long the file is now, in bytes; `nil`: not known.
        package var size: Int64?

        /// None of them.
        package init() {}
    }
}
