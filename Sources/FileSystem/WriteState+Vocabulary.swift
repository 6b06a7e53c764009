import Vocabulary

/// What ``WriteState`` is told of, and asked for.
extension WriteState {
    /// A transfer to the server, or what is left of it.
    struct Attempt: Hashable, Sendable {
        let target: UploadPlan.Target
        /// Where it began: 0, or the server's end when it was appended to.
        let start: Int64
        /// Whether its bytes go behind what is there, so that sending them anew would put them there twice.
        let isAppend: Bool
        /// Up to where its bytes have been handed over.
        var reach: Int64
        /// Whether the server has confirmed it.
        var isConfirmed = false
        /// Whether nothing else can be at the target than what this transfer has brought there, and what was there
        /// before it began to append.
        let isFirst: Bool
    }

    /// What is to be set when the content has been sent.
    enum Wish: Hashable, Sendable {
        case mode(UInt32)
        case time(Timestamp)
        /// The present time, which an upload gets anyway.
        case timeOfUpload
    }

    /// All that is to be set then.
    struct Wishes: Hashable, Sendable {
        var mode: UInt32?
        var time: Timestamp?
    }
}
