import FTPProtocol
import Testing

@Suite struct ReplyParserTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let wire: String
        let replies: [Reply]
        var testDescription: String { name }

        init(_ name: String, _ wire: String, _ replies: (UInt16, [String])...) {
            self.name = name
            self.wire = wire
            self.replies = replies.map { Reply(code: $0, lines: $1.map(bytes)) }
        }
    }

    static let rows = [
        Row("one line", "220 ready\r\n", (220, ["ready"])),
        Row("two replies at once", "331 password\r\n230 in\r\n", (331, ["password"]), (230, ["in"])),
        Row("several lines", "211-Features:\r\n MDTM\r\n211 End\r\n", (211, ["Features:", " MDTM", "End"])),
        Row("a blank in front of the text is of the text", "200  x \r\n", (200, [" x "])),
        Row(
            "inner lines with other codes", "220-a\r\n331 b\r\n221-c\r\n220 d\r\n", (220, ["a", "331 b", "221-c", "d"])),
        Row(
            "inner lines with longer numbers", "220-a\r\n2200 b\r\n220x\r\n220 d\r\n",
            (220, ["a", "2200 b", "220x", "d"])),
        Row(
            "an inner line that begins with a blank and the code", "220-a\r\n 220 b\r\n220 c\r\n",
            (220, ["a", " 220 b", "c"])),
        Row(
            "the code before every line", "211-Features\r\n211-MDTM\r\n211 End\r\n", (211, ["Features", "MDTM", "End"])),
        Row("empty inner lines", "220-\r\n\r\n220 b\r\n", (220, ["", "", "b"])),
        Row("bare LF", "220-a\nb\n220 c\n", (220, ["a", "b", "c"])),
        Row("several CR", "220 a\r\r\n", (220, ["a"])),
        Row("CR inside a line", "257 \"a\rb\"\r\n", (257, ["\"a\rb\""])),
        Row("CR NUL inside a line is CR", "257 \"a\r\0b\"\r\n", (257, ["\"a\rb\""])),
        Row("NUL alone stays", "200 a\0b\r\n", (200, ["a\0b"])),
        Row("a code alone", "200\r\n", (200, [""])),
        Row("a code alone ends several lines", "220-a\r\n220\r\n", (220, ["a", ""])),
        Row("a tab behind the code", "200\tok\r\n", (200, ["ok"])),
        Row("empty lines between replies", "\r\n220 a\r\n\r\n\n221 b\r\n", (220, ["a"]), (221, ["b"])),
        Row("the lowest and the highest code", "100 a\r\n599 b\r\n", (100, ["a"]), (599, ["b"])),
        Row("not UTF-8 would be kept", "550 \u{FFFD}\r\n", (550, ["\u{FFFD}"])),
    ]

    @Test(arguments: rows)
    func parses(row: Row) throws {
        var parser = ReplyParser()
        try parser.consume(bytes(row.wire))
        #expect(parser.drain() == row.replies)
        #expect(parser.isEmpty)
    }

    @Test(arguments: rows)
    func piecesDoNotMatter(row: Row) throws {
        let wire = bytes(row.wire)
        for boundary in wire.indices {
            var parser = ReplyParser()
            try parser.consume(wire[..<boundary])
            var replies = parser.drain()
            try parser.consume(wire[boundary...])
            replies += parser.drain()
            #expect(replies == row.replies, "cut at \(boundary)")
        }
        var parser = ReplyParser()
        for byte in wire { try parser.consume(CollectionOfOne(byte)) }
        #expect(parser.drain() == row.replies)
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
        ("HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 400 Bad Request"),
        ("099 a\n", "099 a"), ("600 a\n", "600 a"), ("2200 a\n", "2200 a"), ("22 a\n", "22 a"), (" 220 a\n", " 220 a"),
        ("220a\n", "220a"), ("+OK\n", "+OK"),
        (String(repeating: "x", count: 200) + "\n", String(repeating: "x", count: 80)),
    ])
    func refusesWhatIsNoReply(wire: String, excerpt: String) {
        var parser = ReplyParser()
        #expect(throws: ReplyParser.Violation.notAReply(bytes(excerpt))) { try parser.consume(bytes(wire)) }
    }

    @Test func handsOutWhatWasCompleteBeforeAViolation() throws {
        // Given a good reply and then nonsense in one piece,
        var parser = ReplyParser()
        #expect(throws: ReplyParser.Violation.self) { try parser.consume(bytes("220 a\r\nnonsense\r\n")) }

        // then the good one is there, nothing more is taken,
        #expect(parser.next() == Reply(code: 220, lines: [bytes("a")]))
        #expect(throws: ReplyParser.Violation.notAReply(bytes("nonsense"))) { try parser.consume(bytes("221 b\r\n")) }
        #expect(parser.next() == nil)

        // and a reset begins anew.
        parser.reset()
        try parser.consume(bytes("221 b\r\n"))
        #expect(parser.next()?.code == 221)
    }

    @Test func limitsTheLine() throws {
        var parser = ReplyParser()
        try parser.consume(bytes("200 "))
        try parser.consume([UInt8](repeating: 0x61, count: ReplyParser.maximumLineLength - 4))
        #expect(throws: ReplyParser.Violation.lineTooLong) { try parser.consume(bytes("a")) }
    }

    @Test func limitsTheLinesOfAReply() throws {
        var parser = ReplyParser()
        try parser.consume(bytes("211-a\n" + String(repeating: "\n", count: ReplyParser.Limit.usual.lines - 1)))
        #expect(throws: ReplyParser.Violation.replyTooLong) { try parser.consume(bytes("\n")) }
    }

    @Test func limitsTheBytesOfAReply() throws {
        var parser = ReplyParser()
        let line = [UInt8](repeating: 0x61, count: 64 * 1024 - 1) + [0x0A]
        try parser.consume(bytes("211-a\n"))
        for _ in 0..<16 { try parser.consume(line) }
        #expect(throws: ReplyParser.Violation.replyTooLong) { try parser.consume(line) }
    }

    @Test func limitsTheRepliesThatWait() throws {
        var parser = ReplyParser()
        let one = bytes("200 a\n")
        for _ in 0..<ReplyParser.maximumWaitingReplies { try parser.consume(one) }
        #expect(throws: ReplyParser.Violation.tooManyReplies) { try parser.consume(one) }

        // Those that are fetched do not count.
        parser.reset()
        for _ in 0..<(3 * ReplyParser.maximumWaitingReplies) {
            try parser.consume(one)
            #expect(parser.next() != nil)
        }
    }

    @Test func saysWhetherAnythingIsHeld() throws {
        var parser = ReplyParser()
        #expect(parser.isEmpty)
        try parser.consume(bytes("2"))
        #expect(!parser.isEmpty)
        try parser.consume(bytes("34 go\r\n"))
        #expect(!parser.isEmpty)
        _ = parser.next()
        #expect(parser.isEmpty)
        try parser.consume(bytes("211-a\r\n"))
        #expect(!parser.isEmpty)
        #expect(parser.next() == nil)
        parser.reset()
        #expect(parser.isEmpty)
    }

    @Test(
        arguments: [
            (150, .preliminary), (226, .completion), (350, .intermediate), (421, .transientNegative),
            (550, .permanentNegative),
        ] as [(UInt16, Reply.Category)])
    func categories(code: UInt16, category: Reply.Category) {
        #expect(Reply(code: code, lines: [[]]).category == category)
    }
}

extension ReplyParser {
    fileprivate mutating func drain() -> [Reply] {
        var replies: [Reply] = []
        while let reply = next() { replies.append(reply) }
        return replies
    }
}
