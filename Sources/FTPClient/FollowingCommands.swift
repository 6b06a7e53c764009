import FTPProtocol
import Threading
import Vocabulary

/// Commands that leave behind the last byte of an upload, before the server has confirmed it: what they do is done when the
/// confirmation comes, and costs no round trip of its own.
///
/// Only for servers that are known to read no command before a transfer has ended (``ServerProfile/queuesCommands``). The
/// others must not be sent any: some take it for an `ABOR`, and some carry it out at once, so that the last bytes, which come
/// behind it, make the time another one again.
///
/// None of them does harm when the upload then fails: they are about the file that it would have made.
///
/// For the holder of the session alone, who is also the one that reads the replies.
final class FollowingCommands {
    fileprivate enum Errand {
        case mode
        case time(Timestamp, ServerProfile.TimeMethod)
        case size
    }

    private let commands: [(command: Command, errand: Errand)]
    private(set) var outcome = UploadErrands.Outcome()
    private var awaited = 0
    /// Whether an answer is still to come.
    var isAwaited: Bool { awaited > 0 }

    fileprivate init(_ commands: [(command: Command, errand: Errand)]) {
        self.commands = commands
    }

    /// Sends them. Does not wait; what cannot be sent is not done.
    func send(over control: ControlConnection) {
        for (command, errand) in commands {
            do throws(FTPError) {
                try control.deferReply(to: command) { [weak self] reply in self?.take(reply, errand) }
                awaited += 1
            } catch {
                return
            }
        }
    }

    private func take(_ reply: Reply, _ errand: Errand) {
        awaited -= 1
        guard reply.category == .completion, reply.code != 202 else { return }
        switch errand {
        case .mode: outcome.isModeSet = true
        case .time(let told, let method): outcome.isTimeSet = !reply.isOldTime(told, method)
        case .size: outcome.size = reply.code == 213 ? SizeReply.parse(reply.text) : nil
        }
    }
}

extension Session {
    /// Whether commands may leave behind the last byte of an upload.
    var mayFollowUpload: Bool { sendsTogether && server.known.queuesCommands }

    /// What of these errands can be done behind the last byte; `nil`: nothing.
    func following(_ errands: UploadErrands, _ path: RemotePath) -> FollowingCommands? {
        let known = server.known
        // Of another root the path may need a detour, which cannot be made now.
        guard errands != UploadErrands(), mayFollowUpload, case .absolute = known.root,
            let wire = try? wirePath(path, Cancellation())
        else { return nil }
        var commands: [(command: Command, errand: FollowingCommands.Errand)] = []
        if let mode = errands.mode, known.hasChangeMode, !wire.contains(0x20) {
            commands.append((Self.changeMode(mode, wire), .mode))
        }
        // What a refusal means has to be known: else it is found out where it can be.
        if let time = errands.time, known.timeIsProven {
            let told = known.time == .mdtm ? known.clock.asTold(time) : time
            if let command = try? settingCommand(known.time, wire, told) {
                commands.append((command, .time(told, known.time)))
            }
        }
        if errands.asksSize, known.hasSize { commands.append((Command("SIZE", wire), .size)) }
        return commands.isEmpty ? nil : FollowingCommands(commands)
    }

    /// Waits for the answers to commands that went out behind an upload, which has been confirmed.
    ///
    /// - Returns: what has been done. An answer that does not come is no failure of the upload.
    func settle(_ following: FollowingCommands?, _ cancellation: Cancellation) -> UploadErrands.Outcome {
        guard let following else { return UploadErrands.Outcome() }
        try? control.settleDeferred(cancellation) { following.isAwaited }
        return following.outcome
    }
}
