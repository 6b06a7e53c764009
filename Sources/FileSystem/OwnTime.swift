import Vocabulary

/// A modification time that this mount knows better than the listings do.
///
/// Three things make a listed time a poor witness: `LIST` cuts it to the minute or to the day; a server stamps an
/// upload with its own clock, which is not ours; and some servers cannot store a time at all. A program that sees a
/// time jump although nobody touched the file (make, rsync, git, an editor) does work for nothing. So the time that
/// we set stays in view for as long as the listings do not contradict it.
enum OwnTime: Hashable, Sendable {
    /// An upload ended then by our clock. The server's clock may say something else; the first listing settles it.
    case guessed(Timestamp)
    /// A listing shows that upload in less detail, and agrees as far as it goes. What the server has to the second is not known.
    case shown(Timestamp, as: Timestamp, TimePrecision)
    /// The server has taken this time. A listing may show it in less detail.
    case stored(Timestamp)
    /// The server cannot store it. It is shown as long as the listed time stays what it was (`beside`, once seen).
    case kept(Timestamp, beside: Timestamp?)

    /// What is shown.
    var time: Timestamp {
        switch self {
        case .guessed(let time), .shown(let time, as: _, _), .stored(let time), .kept(let time, beside: _): time
        }
    }

    /// What a listing does to it.
    enum Verdict: Hashable {
        /// It stays in view, in this form.
        case holds(OwnTime)
        /// The listed time takes its place; the content is still what we wrote.
        case adopted
        /// Somebody else has changed the file.
        case contradicted
    }

    /// Judges a time from a listing that shows the file with the size we know.
    func compared(with listed: Timestamp?, precision: TimePrecision) -> Verdict {
        guard let listed else { return .holds(self) }
        switch self {
        case .guessed(let time):
            guard precision.agree(time, listed) else { return .adopted }
            return .holds(precision == .second ? .stored(time) : .shown(time, as: listed, precision))
        case .shown(let time, as: let before, let coarse):
            if precision.agree(time, listed) { return .holds(precision == .second ? .stored(time) : self) }
            // The same time in more detail.
            return precision.seconds < coarse.seconds && coarse.agree(listed, before) ? .adopted : .contradicted
        case .stored(let time):
            return precision.agree(time, listed) ? .holds(self) : .contradicted
        case .kept(let time, let beside):
            guard let beside else { return .holds(.kept(time, beside: listed)) }
            return beside == listed ? .holds(self) : .contradicted
        }
    }
}

extension TimePrecision {
    /// The step between two times that can be told apart, in seconds.
    var seconds: Int64 {
        switch self {
        case .second: 1
        case .minute: 60
        case .day: 86_400
        }
    }

    /// Whether a listed time can be the given one, cut to this precision. A day begins when it does in the server's zone,
    /// which the listed time tells.
    func agree(_ time: Timestamp, _ listed: Timestamp) -> Bool {
        let (difference, overflow) = time.seconds.subtractingReportingOverflow(listed.seconds)
        return !overflow && (0..<seconds).contains(difference)
    }
}
