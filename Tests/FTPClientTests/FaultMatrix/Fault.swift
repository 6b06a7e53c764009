import EmbeddedFTPServer
import Testing

/// What goes wrong with a command.
struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let kind: Kind
    /// Whether it goes wrong every time, until the server is put right; else the first time only.
    let isLasting: Bool
    /// Whether it needs a transfer.
    let concernsData: Bool
    let effects: @Sendable (FaultyOperation, String) -> [FaultPlan.Effect]

    enum Kind: Hashable, Sendable {
        /// This reply, and it is not done.
        case refusal(UInt16)
        /// The control connection ends, before the command, in its reply, behind it.
        case ending
        /// What is no reply.
        case garbage
        /// Nothing comes any more, so that a limit has to end it.
        case silence
        /// The data connection ends before its time.
        case cut
        /// No data connection comes about.
        case noData
    }

    init(
        _ name: String, _ kind: Kind, lasting: Bool = false, data: Bool = false,
        _ effects: @escaping @Sendable (FaultyOperation, String) -> [FaultPlan.Effect]
    ) {
        self.name = name
        self.kind = kind
        isLasting = lasting
        concernsData = data
        self.effects = effects
    }

    var testDescription: String { name }
    var isSilence: Bool { kind == .silence }

    func rule(_ verb: String, _ effect: FaultPlan.Effect) -> FaultPlan.Rule {
        isLasting ? .every(verb, effect) : .nth(1, verb, effect)
    }

    static let transfers: Set<String> = ["MLSD", "RETR", "STOR", "APPE"]

    func applies(to verb: String) -> Bool { !concernsData || Self.transfers.contains(verb) }

    static let all: [Fault] = refusals + endings + silences + cuts

    private static let refusals: [Fault] =
        ([450, 451, 452, 500, 550, 552, 553] as [UInt16]).map { code in
            Fault("\(code)", .refusal(code), lasting: true) { _, _ in [.reply(code, "No.")] }
        } + [
            Fault("421 once", .ending) { _, _ in [.closeAfter421] },
            Fault("421", .ending, lasting: true) { _, _ in [.closeAfter421] },
            Fault("garbage", .garbage) { _, _ in [.replyGarbage([0xFF, 0x00, 0x32, 0x0A])] },
        ]

    private static let endings: [Fault] =
        [FaultPlan.Ending.close, .reset].flatMap { ending in
            moments.map { name, moment in
                Fault("\(ending) \(name) once", .ending) { _, _ in [.dropControl(moment, by: ending)] }
            }
        }
        + moments.map { name, moment in
            Fault("close \(name)", .ending, lasting: true) { _, _ in [.dropControl(moment)] }
        }
        + [false, true].map { isLasting in
            Fault("close inside the reply\(isLasting ? "" : " once")", .ending, lasting: isLasting) { _, _ in
                [.replyGarbage([UInt8]("22".utf8)), .dropControl(.beforeReply)]
            }
        }

    private static let moments: [(String, FaultPlan.Moment)] = [
        ("before", .beforeDoing), ("unanswered", .beforeReply), ("behind", .afterReply),
    ]

    private static let silences: [Fault] = [
        Fault("silence", .silence) { _, _ in [.hang] },
        Fault("no final reply", .silence) { _, _ in [.noFinalReply] },
        Fault("data stand still at the start", .silence, data: true) { _, _ in [.stallData(afterBytes: 0)] },
        Fault("data stand still", .silence, data: true) { [.stallData(afterBytes: $0.size($1) / 2)] },
    ]

    private static let cuts: [Fault] =
        [FaultPlan.Ending.close, .reset].flatMap { ending in
            [("0", 0, 0), ("1", 0, 1), ("half", 2, 0), ("last", 1, -1)].map { name, divisor, offset in
                Fault("data \(ending) at \(name) once", .cut, data: true) { operation, verb in
                    let size = operation.size(verb)
                    return [
                        .cutData(
                            afterBytes: max(0, (divisor == 0 ? 0 : size / Int64(divisor)) + Int64(offset)), by: ending)
                    ]
                }
            } + [
                Fault("data \(ending)", .cut, lasting: true, data: true) {
                    [.cutData(afterBytes: $0.size($1) / 2, by: ending)]
                }
            ]
        } + [
            // Where the end is an orderly one, and the server says that it was all, nobody can tell that it was not.
            Fault("data reset and success once", .cut, data: true) {
                [.cutData(afterBytes: $0.size($1) / 2, by: .reset), .finalReply(226, "Done")]
            },
            Fault("no data connection once", .noData, data: true) { _, _ in [.refuseDataConnection] },
            Fault("no data connection", .noData, lasting: true, data: true) { _, _ in [.refuseDataConnection] },
        ]
}

extension FaultyOperation {
    /// How many bytes the transfer of a command has, about.
    func size(_ verb: String) -> Int64 {
        switch (verb, name) {
        case ("MLSD", _): 200
        case ("RETR", "read in the middle"): 100_000
        case ("RETR", _): Int64(Self.small.count)
        case ("STOR", "write large"): Int64(Self.large.count)
        case ("STOR", "truncate"): 1
        case ("STOR", "create"), ("STOR", "empty"): 0
        default: Int64(Self.new.count)
        }
    }
}
