import EmbeddedFTPServer
import FTPClient
import FTPMount
import FileSystem
import SystemPackage
import Testing
import Threading
import Vocabulary

/// One operation, one of its commands, and one thing that goes wrong with it.
struct FaultCell: Sendable, CustomStringConvertible {
    let operation: FaultyOperation
    let verb: String
    let fault: Fault
    /// What the server has when nothing goes wrong.
    let wanted: [String: FaultyMount.Thing]

    var description: String {
        "\(operation.name), \(verb), \(operation.setting.pipelining == .off ? "" : "ahead, ")\(fault.name)"
    }

    /// What came of it.
    struct Outcome: Sendable {
        /// `nil`: the operation succeeded.
        var errno: Errno?
        var state = State.old
        /// What must never be; empty: nothing of that.
        var wrong: [String] = []

        enum State: Sendable { case old, new, halfway, neither }
    }

    /// How many commands a cell may take: where the server hangs up on a command each time, nine logins with ten commands each
    /// (three attempts at a transfer, two more under another name, and both once more). A storm would know no end.
    static let maximumCommands = 120
    /// How long an operation may take: some of the waits of ``FaultyMount/impatience``, one after the other. Only what hangs
    /// comes here.
    static let patience = Duration.seconds(30)

    func run() throws -> Outcome {
        var setting = operation.setting
        setting.isImpatient = fault.isSilence
        let mount = try FaultyMount(setting, fill: operation.fill)
        var outcome = Outcome()
        try operation.prepare(mount)
        let old = mount.snapshot()
        let mark = mount.server.transcript.mark
        mount.server.setFaults(FaultPlan(fault.effects(operation, verb).map { fault.rule(verb, $0) }))
        let begin = Instant.now
        do {
            try operation.run(mount)
        } catch let error as StoreError {
            outcome.errno = error.kind.errno
        } catch let error as FTPError {
            outcome.errno = StoreError(error).kind.errno
        } catch {
            outcome.wrong.append("\(error)")
        }
        mount.server.setFaults(.none)
        if Instant.now.since(begin) > Self.patience { outcome.wrong.append("it took \(Instant.now.since(begin))") }
        let count = mount.server.transcript.since(mark).count
        if count > Self.maximumCommands { outcome.wrong.append("\(count) commands") }
        // What a failure leaves under a temporary name is not a file of anybody's; the next attempt removes it.
        let now = mount.snapshot().filter { outcome.errno == nil || !$0.key.contains("/.ftpfs-") }
        outcome.state = state(old, now)
        if outcome.state == .neither { outcome.wrong.append(difference(old, now)) }
        outcome.wrong += disappointments(outcome)
        if !expectation.locksOut { outcome.wrong += afterwards(mount, outcome) }
        let left = mount.end()
        if !left.isEmpty { outcome.wrong.append("not given back: \(left)") }
        return outcome
    }

    /// In what the outcome is not what was to be expected.
    private func disappointments(_ outcome: Outcome) -> [String] {
        guard let errno = outcome.errno else {
            if outcome.state != .new, !(expectation.isIdle && outcome.state == .old) {
                return ["success, and the server has not got it"]
            }
            return expectation.mayWork ? [] : ["success in place of \(expectation.errnos)"]
        }
        return expectation.errnos.contains(errno) ? [] : ["\(errno) in place of \(expectation)"]
    }

    private func state(_ old: [String: FaultyMount.Thing], _ now: [String: FaultyMount.Thing]) -> Outcome.State {
        if now == wanted { return .new }
        if now == old { return .old }
        guard let halfway = operation.halfway else { return .neither }
        var rest = now
        guard case .file(let content) = rest.removeValue(forKey: halfway.path) else { return .neither }
        var others = old
        others[halfway.path] = nil
        return rest == others && halfway.isSound(content.bytes) ? .halfway : .neither
    }

    private func difference(_ old: [String: FaultyMount.Thing], _ now: [String: FaultyMount.Thing]) -> String {
        Set(old.keys).union(wanted.keys).union(now.keys).sorted().compactMap { path in
            let (was, shall, got) = (old[path], wanted[path], now[path])
            guard was != got || shall != got else { return nil }
            func text(_ thing: FaultyMount.Thing?) -> String { thing.map { "\($0)" } ?? "nothing" }
            return "\(path): was \(text(was)), shall be \(text(shall)), is \(text(got))"
        }.joined(separator: "; ")
    }

    /// The fault is over: everything works, and what failed can be done.
    private func afterwards(_ mount: FaultyMount, _ outcome: Outcome) -> [String] {
        var wrong: [String] = []
        func attempt(_ what: String, _ body: () throws -> Bool) {
            do {
                if !(try body()) { wrong.append("afterwards: \(what): wrong") }
            } catch {
                wrong.append("afterwards: \(what): \(error)")
            }
        }
        attempt("list") { try mount.names("kept") == ["file"] }
        attempt("read") { try mount.read("kept/file") == mount.tree.contents(of: "kept/file") }
        attempt("write") {
            try mount.save("after", [1, 2, 3])
            return mount.tree.contents(of: "after") == [1, 2, 3]
        }
        // What a broken append has left stays, as on a full disk: the next one goes behind it.
        let isAppended = operation.name == "append" && outcome.state == .halfway
        if outcome.errno != nil, outcome.state == .old || outcome.state == .halfway {
            attempt("again") {
                try operation.run(mount)
                var now = mount.snapshot()
                now["after"] = nil
                if now != wanted, !isAppended { wrong.append("afterwards: again: \(difference([:], now))") }
                return true
            }
        }
        return wrong
    }
}
