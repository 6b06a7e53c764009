/// What the server is to do wrong, and when: a list of rules that reads like sentences.
///
/// ```swift
/// FaultPlan([
///     .nth(2, "RETR", .cutData(afterBytes: 65_536)),
///     .every("EPSV", .reply(500, "EPSV not understood")),
///     .nth(1, "LIST", .delay(.seconds(3))),
///     .afterCommands(10, 421),
///     .nth(1, "STOR", .hang).onConnection(2),
/// ])
/// ```
///
/// Occurrences are counted per rule, from the moment the plan was put into force, and only among the commands that fit
/// the rule (its verb, its connection, its argument). When several rules fit one command, all of their effects apply,
/// in the order of the plan. The pseudo-verb ``greeting`` stands for the greeting of a new connection.
package struct FaultPlan: Sendable {
    /// The rules, in order.
    package var rules: [Rule]

    /// Nothing goes wrong.
    package static let none = FaultPlan([])

    /// The pseudo-verb of the greeting: `.nth(1, FaultPlan.greeting, .reply(421, "Try later"))`.
    package static let greeting = "(greeting)"

    /// The pseudo-verb of the TLS handshake of a control connection, behind AUTH or in front of the greeting.
    package static let handshake = "(handshake)"

    /// A plan of these rules.
    package init(_ rules: [Rule]) {
        self.rules = rules
    }

    /// Which commands a rule means, and what happens to them.
    package struct Rule: Sendable {
        /// The verb in capitals; `nil` for every command.
        var verb: String?
        /// Which of the fitting commands, the first being 1.
        var occurrences: ClosedRange<Int>
        /// The number of the control connection, the first being 1; `nil` for every one.
        var connection: Int?
        /// What the argument has to contain; `nil` for anything.
        var argumentPart: [UInt8]?
        /// What happens.
        var effect: Effect

        /// The `number`-th command of that verb (the first is 1).
        package static func nth(_ number: Int, _ verb: String, _ effect: Effect) -> Rule {
            Rule(verb: verb, occurrences: number...number, effect: effect)
        }

        /// Every command of that verb.
        package static func every(_ verb: String, _ effect: Effect) -> Rule {
            Rule(verb: verb, occurrences: 1...Int.max, effect: effect)
        }

        /// The `number`-th command of that verb and all behind it.
        package static func from(_ number: Int, _ verb: String, _ effect: Effect) -> Rule {
            Rule(verb: verb, occurrences: number...Int.max, effect: effect)
        }

        /// The commands `numbers` of that verb.
        package static func some(_ numbers: ClosedRange<Int>, _ verb: String, _ effect: Effect) -> Rule {
            Rule(verb: verb, occurrences: numbers, effect: effect)
        }

        /// Every command of whatever verb.
        package static func everyCommand(_ effect: Effect) -> Rule {
            Rule(verb: nil, occurrences: 1...Int.max, effect: effect)
        }

        /// After `count` commands the next one is answered with `code`, and the connection is closed.
        package static func afterCommands(_ count: Int, _ code: UInt16) -> Rule {
            Rule(
                verb: nil, occurrences: (count + 1)...(count + 1),
                effect: .replyAndClose(code, "Closing the connection."))
        }

        /// The same rule for one control connection only (the first is 1).
        package func onConnection(_ number: Int) -> Rule {
            var rule = self
            rule.connection = number
            return rule
        }

        /// The same rule for commands whose argument contains `part`.
        package func whenArgument(contains part: String) -> Rule {
            var rule = self
            rule.argumentPart = Array(part.utf8)
            return rule
        }
    }

    /// How a data connection ends before its time.
    package enum Ending: Hashable, Sendable {
        /// RST: the client's next read or write fails (ECONNRESET, EPIPE).
        case reset
        /// FIN: the client sees an ordinary end, too early.
        case close
    }

    /// When the control connection is dropped.
    package enum Moment: Hashable, Sendable {
        /// The command is not even looked at.
        case beforeDoing
        /// The command is done, transfer and all, but its final reply is not sent.
        case beforeReply
        /// Right behind the final reply.
        case afterReply
    }

    /// What goes wrong with a command.
    package enum Effect: Hashable, Sendable {
        /// This reply instead of doing it.
        case reply(UInt16, String)
        /// This reply instead of doing it, then the control connection is closed.
        case replyAndClose(UInt16, String)
        /// `421` instead of doing it, then the control connection is closed.
        case closeAfter421
        /// These bytes instead of a reply, as they are; the command is not done.
        case replyGarbage([UInt8])
        /// It is done, but its final reply is this one. For transfers the 150 comes as ever.
        case finalReply(UInt16, String)
        /// It is done, but the final reply never comes.
        case noFinalReply
        /// It begins this much later.
        case delay(Duration)
        /// It is neither done nor answered; the connection stays open, and commands behind it are not answered either.
        case hang
        /// Data connection: after this many bytes, in whichever direction, it ends.
        case cutData(afterBytes: Int64, by: Ending = .reset)
        /// Data connection: after this many bytes nothing moves any more, but it stays open.
        case stallData(afterBytes: Int64)
        /// Everything the command sends, on the control and on the data connection, leaves byte by byte.
        case oneByteAtATime
        /// The control connection ends. Together with ``replyGarbage(_:)``: behind those bytes.
        case dropControl(Moment, by: Ending = .close)
        /// PASV, EPSV: the port that is named does not listen. Transfers: no data connection comes about (425).
        case refuseDataConnection
        /// PASV: the address that is named is not the server's (192.0.2.1, RFC 5737).
        case wrongPassiveAddress
        /// These bytes right behind the final reply, in the same packet: behind the reply to AUTH they are in the clear.
        case appendToReply([UInt8])
        /// TLS: the handshake begins, and the server never answers. For transfers, and for ``FaultPlan/handshake``.
        case stallHandshake
        /// TLS: the handshake of the data connection comes before the 150, which waits for it.
        case handshakeBeforeOpening
        /// TLS: no session is resumed on the data connection.
        case refuseResumption
        /// TLS: the data connection ends without the server's close_notify.
        case omitCloseNotify
        /// TLS: after this many bytes of a download half of a record follows, and then the end.
        case cutRecord(afterBytes: Int64, by: Ending = .close)
    }
}

/// The plan in force and how often each of its rules has been met. No I/O: the server asks it under its lock.
struct FaultSchedule {
    private let plan: FaultPlan
    private var met: [Int]

    init(_ plan: FaultPlan) {
        self.plan = plan
        met = Array(repeating: 0, count: plan.rules.count)
    }

    /// Counts one command, and says what is to go wrong with it.
    mutating func effects(verb: String, argument: [UInt8], connection: Int) -> [FaultPlan.Effect] {
        var effects: [FaultPlan.Effect] = []
        for (index, rule) in plan.rules.enumerated() where rule.fits(verb, argument, connection) {
            met[index] += 1
            if rule.occurrences.contains(met[index]) { effects.append(rule.effect) }
        }
        return effects
    }
}

extension FaultPlan.Rule {
    fileprivate func fits(_ verb: String, _ argument: [UInt8], _ connection: Int) -> Bool {
        // A rule for every command does not mean the pseudo-verbs, which no command asked for.
        let isCommand = verb != FaultPlan.greeting && verb != FaultPlan.handshake
        guard self.verb.map({ $0 == verb }) ?? isCommand else { return false }
        guard self.connection.map({ $0 == connection }) ?? true else { return false }
        return argumentPart.map { argument.contains($0) } ?? true
    }
}

extension Array where Element: Equatable {
    /// Whether `part` occurs in it as a run.
    fileprivate func contains(_ part: [Element]) -> Bool {
        guard part.count <= count else { return false }
        return (0...(count - part.count)).contains { self[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
