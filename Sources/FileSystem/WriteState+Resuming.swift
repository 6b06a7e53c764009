import Threading

extension WriteState {
    /// What another process was about to do with a file when it wrote that down.
    struct Former: Hashable, Sendable {
        /// Whether it has begun to send this content, or parts of which nothing more is known.
        var isBegun = false
        /// What else it was about to send: what the server has may be that.
        var sent: [SentContent] = []
        /// Why the name was about to go.
        var leaving: Leaving?
    }

    /// Why the name was about to go, if nothing has been changed since: only a look tells whether it has.
    var presentLeaving: Leaving? { revision == 1 ? former.leaving : nil }

    /// Nothing of it is to be sent: the name is gone on the server, or stands for something else there, and that is right.
    mutating func giveUp() {
        abandonAttempt()
        becomeRemote()
    }
}
