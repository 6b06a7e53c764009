import FTPProtocol
import Threading
import Vocabulary

/// A look at the size of a file in the flight of the command that writes into it.
///
/// In front of an `APPE` whose bytes go to the end, wherever that is, `SIZE` only has to be told: both leave together.
/// In front of a `REST` it leaves with that, and the `STOR` waits for both answers: over another file than the expected one
/// nothing is written, and a refused `REST` would cut the file. Only on servers that are sent several commands at once;
/// everywhere else each of them waits for the one before.
struct SizeLook {
    let question: SizeQuestion
    let path: RemotePath
    let command: Command

    /// - Returns: `nil` when nothing has to be known.
    init?(_ question: SizeQuestion, _ path: RemotePath, _ wire: [UInt8]) {
        guard question != .none else { return nil }
        self.question = question
        self.path = path
        command = Command("SIZE", wire)
    }

    /// Takes the answer.
    ///
    /// - Throws: `changedRemotely` when it is not the required size; `unsupported` when there is none, but one is required.
    func judge(_ reply: Reply?, of session: Session) throws(FTPError) {
        guard let reply else { return }
        session.takeSize(reply)
        guard case .require(let size) = question else { return }
        switch session.sizeTold {
        case .size(size): return
        case .size, .noFile: throw .changedRemotely(path: path)
        case .unknown: throw .unsupported("tell the size of a file (SIZE)")
        }
    }
}

extension Session {
    /// Sends a transfer command, with a look in front of it in the same packet where only its answer is wanted.
    func send(_ command: Command, behind look: SizeLook?, _ cancellation: Cancellation) throws(FTPError) {
        guard let look else { return try control.begin(command, cancellation) }
        guard sendsTogether, look.question == .tell, server.known.hasSize else {
            try look.judge(try exchange(look.command, cancellation), of: self)
            return try control.begin(command, cancellation)
        }
        let taker: (Reply) -> Void = { [weak self] reply in self?.takeSize(reply) }
        try control.begin(command, behind: (look.command, taker), cancellation)
    }

    /// Sends `REST`, with a look in front of it in the same packet where that may be done, and waits for the answers.
    ///
    /// - Parameter taker: gets the answer to `REST`.
    /// - Returns: the answer to the look.
    func exchange(
        _ rest: Command, behind look: SizeLook?, _ cancellation: Cancellation, _ taker: (Reply) -> Void
    ) throws(FTPError) -> Reply? {
        guard let look else {
            taker(try exchange(rest, cancellation))
            return nil
        }
        let replies: [Reply]
        if sendsTogether {
            replies = try control.exchange([look.command, rest], cancellation)
            for command in [look.command, rest] { server.noteAnswer(to: command.verb) }
        } else {
            replies = [try exchange(look.command, cancellation), try exchange(rest, cancellation)]
        }
        if let last = replies.last { taker(last) }
        return replies.first
    }

    /// Notes what `SIZE` has told.
    func takeSize(_ reply: Reply) {
        switch reply.code {
        case 213: sizeTold = SizeReply.parse(reply.text).map { .size($0) } ?? .unknown
        // 550 is also the answer to a directory, and where it may not be read: not the file that we knew either. In ASCII mode
        // it says nothing of the file.
        case 550: sizeTold = reply.mentions(["ascii"]) ? .unknown : .noFile
        default:
            sizeTold = .unknown
            if FTPError.refused(verb: "SIZE", reply).isNotImplemented { server.learn { $0.hasSize = false } }
        }
    }
}
