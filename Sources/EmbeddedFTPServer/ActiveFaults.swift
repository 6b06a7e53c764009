/// The effects that apply to one command, sorted by where they act.
struct ActiveFaults {
    /// What happens instead of the command.
    enum Instead {
        case reply(Answer, closes: Bool)
        case garbage([UInt8])
        case silence
    }

    /// What happens to a data connection after a number of bytes.
    enum Limit {
        case cut(FaultPlan.Ending)
        /// A cut in the middle of a TLS record.
        case cutRecord(FaultPlan.Ending)
        case stall
    }

    private(set) var delay: Duration = .zero
    private(set) var instead: Instead?
    private(set) var drop: FaultPlan.Moment?
    private(set) var dropEnding = FaultPlan.Ending.close
    private(set) var finalReply: Answer?
    private(set) var omitsFinalReply = false
    private(set) var dataLimit: (bytes: Int64, Limit)?
    private(set) var sendsByteByByte = false
    private(set) var refusesData = false
    private(set) var misleadsPassive = false
    private(set) var behindReply: [UInt8] = []
    private(set) var stallsHandshake = false
    private(set) var handshakesBeforeOpening = false
    private(set) var refusesResumption = false
    private(set) var omitsCloseNotify = false

    init(_ effects: [FaultPlan.Effect]) {
        for effect in effects {
            switch effect {
            case .reply(let code, let text): instead = .reply(Answer(Saying(code, text)), closes: false)
            case .replyAndClose(let code, let text): instead = .reply(Answer(Saying(code, text)), closes: true)
            case .closeAfter421:
                instead = .reply(Answer("421 Service not available, closing control connection"), closes: true)
            case .replyGarbage(let bytes): instead = .garbage(bytes)
            case .finalReply(let code, let text): finalReply = Answer(Saying(code, text))
            case .noFinalReply: omitsFinalReply = true
            case .delay(let span): delay += span
            case .hang: instead = .silence
            case .cutData(let bytes, let ending): dataLimit = (max(0, bytes), .cut(ending))
            case .stallData(let bytes): dataLimit = (max(0, bytes), .stall)
            case .oneByteAtATime: sendsByteByByte = true
            case .dropControl(let moment, let ending): (drop, dropEnding) = (moment, ending)
            case .refuseDataConnection: refusesData = true
            case .wrongPassiveAddress: misleadsPassive = true
            case .appendToReply(let bytes): behindReply += bytes
            case .stallHandshake: stallsHandshake = true
            case .handshakeBeforeOpening: handshakesBeforeOpening = true
            case .refuseResumption: refusesResumption = true
            case .omitCloseNotify: omitsCloseNotify = true
            case .cutRecord(let bytes, let ending): dataLimit = (max(0, bytes), .cutRecord(ending))
            }
        }
    }
}
