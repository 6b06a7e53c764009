/// Whether anybody waits for the answer to a request.
package enum Urgency: Sendable {
    /// Somebody does.
    case wanted
    /// It was made because somebody will probably want the answer soon. It must not delay what is wanted; it becomes wanted
    /// when this fires.
    case ahead(until: Cancellation)

    /// Whether somebody waits, or has come to wait.
    package var isWanted: Bool {
        switch self {
        case .wanted: true
        case .ahead(let wish): wish.isCancelled
        }
    }
}
