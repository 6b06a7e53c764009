import FTPProtocol
import Vocabulary

extension ReplyParser.Violation {
    /// What the server did, for a message.
    var words: String {
        switch self {
        case .lineTooLong: "a line of a reply is too long"
        case .replyTooLong: "a reply is too long"
        case .tooManyReplies: "replies that nobody asked for"
        case .notAReply(let excerpt): printable(excerpt)
        }
    }
}
