/// What comes out of the planner.
extension ReadPlanner {
    /// What the worker of a lane does next.
    enum Step: Hashable {
        /// Open a stream at this offset.
        case open(at: Int64)
        /// Take the next bytes.
        case read
        /// The file should end here: take the end, and no more bytes than show that it does not.
        case drain
        /// Close the stream.
        case close
        /// Wait: the reader is far enough behind.
        case pause
        /// Nothing to do, and no stream: the thread can go.
        case rest
    }

    /// What follows from a request.
    struct Reaction: Hashable {
        /// The lane that is to bring what is missing.
        var lane: LaneID?
        /// A lane whose stream is of no use any more: a wait in it should be cut short.
        var interrupted: LaneID?
        /// A worker that is paused has something to do.
        var wakes = false
    }
}
