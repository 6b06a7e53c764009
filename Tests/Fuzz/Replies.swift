import FTPProtocol

/// Replies: the same ones however the bytes are cut, with codes that exist, no longer than what came in.
@Sendable func fuzzReplies(_ wire: [UInt8]) {
    let whole = replies(in: [wire])
    require(whole == replies(in: Pieces(wire)), "pieces matter")
    require(whole == replies(in: wire.lazy.map { [$0] }), "single bytes matter")
    var total = 0
    for reply in whole.replies {
        require((100...599).contains(reply.code), "code \(reply.code)")
        require(!reply.lines.isEmpty, "no line")
        for line in reply.lines {
            require(!line.contains(0x0A), "a line end in a line")
            total += line.count
        }
    }
    require(total <= wire.count, "more text than bytes")
    require(whole.replies.count <= ReplyParser.maximumWaitingReplies, "too many replies wait")
}

/// FEAT: features are words of the reply, and the facts of MLST are small letters.
@Sendable func fuzzFeatures(_ wire: [UInt8]) {
    // What a server sends after the code, in whatever form; and the same as the lines of a reply.
    let text = replies(in: [Array("211-Features\r\n".utf8) + wire + Array("\r\n211 End\r\n".utf8)]).replies
    let lines = wire.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    for reply in text + [Reply(code: 211, lines: lines)] {
        let features = Features(parsing: reply)
        let size = reply.lines.reduce(0) { $0 + $1.count }
        for label in ["MLST", "AUTH", "REST", "UTF8", "EPSV", "SITE", "LANG", ""] {
            let parameters = features.allParameters(of: label)
            require(parameters.reduce(0) { $0 + $1.count } <= size, "more parameters than bytes")
            require(features.contains(label) == !parameters.isEmpty, "contains and parameters differ")
            require(features.parameters(of: label) == parameters.first, "the first is another")
            require(!features.words(of: label).contains { $0.isEmpty }, "an empty word")
        }
        for fact in features.mlstFacts {
            require(!fact.name.isEmpty && fact.name.utf8.count <= 3 * size, "fact \(fact.name)")
            require(!fact.name.utf8.contains { (0x41...0x5A).contains($0) }, "capital letters in \(fact.name)")
        }
    }
}

struct ReadReplies: Equatable {
    var replies: [Reply] = []
    var violation: ReplyParser.Violation?
}

/// What a parser makes of the pieces. It stops at the first violation, as a client does.
func replies(in pieces: some Sequence<[UInt8]>) -> ReadReplies {
    var parser = ReplyParser()
    var result = ReadReplies()
    for piece in pieces where result.violation == nil {
        do throws(ReplyParser.Violation) {
            try parser.consume(piece)
        } catch {
            result.violation = error
        }
    }
    while let reply = parser.next() { result.replies.append(reply) }
    return result
}
