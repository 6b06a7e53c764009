import FTPProtocol
import Testing

@Suite struct FeaturesTests {
    private func features(_ lines: String..., code: UInt16 = 211) -> Features {
        Features(parsing: Reply(code: code, lines: lines.map(bytes)))
    }

    @Test func readsProFTPD() {
        let features = features(
            "Features:", " MDTM", " MFMT", " TVFS", " AUTH TLS", " UTF8",
            " MLST modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.mode;", " REST STREAM", " SIZE", "End")
        #expect(features.contains("MDTM"))
        #expect(features.contains("utf8"))
        #expect(!features.contains("MLSD"))
        #expect(!features.contains("Features:"))
        #expect(!features.contains("End"))
        #expect(features.parameters(of: "REST") == bytes("STREAM"))
        #expect(features.parameters(of: "SIZE") == [])
        #expect(features.parameters(of: "EPSV") == nil)
        #expect(
            features.mlstFacts.map(\.name) == [
                "modify", "perm", "size", "type", "unique", "unix.group", "unix.mode",
            ])
        #expect(features.mlstFacts.filter { !$0.enabledByDefault }.map(\.name) == ["unix.mode"])
    }

    @Test func joinsLinesWithOneLabel() {
        let features = features("x", " AUTH TLS", " auth SSL", "End")
        #expect(features.parameters(of: "AUTH") == bytes("TLS"))
        #expect(features.allParameters(of: "AUTH") == [bytes("TLS"), bytes("SSL")])
        #expect(features.words(of: "AUTH") == ["TLS", "SSL"])
    }

    @Test(arguments: ["AUTH TLS;SSL;TLS-P;", "AUTH TLS SSL TLS-P", "AUTH tls,ssl,tls-p", "AUTH  TLS ; SSL ; TLS-P "])
    func splitsTheWordsOfALine(line: String) {
        #expect(features("x", line, "End").words(of: "AUTH") == ["TLS", "SSL", "TLS-P"])
    }

    @Test func forgivesMissingAndSeveralBlanks() {
        let features = features("x", "MDTM", "   REST   STREAM  ", "\tSIZE", "", "End")
        #expect(features.contains("MDTM"))
        #expect(features.contains("SIZE"))
        #expect(features.parameters(of: "rest") == bytes("STREAM"))
    }

    @Test func factsWithBlanksAndWithoutAny() {
        #expect(features("x", " MLST type*; size ;;*;", "End").mlstFacts.map(\.name) == ["type", "size"])
        #expect(features("x", " MLST", "End").mlstFacts.isEmpty)
    }

    @Test func knowsNothingAfterARefusal() {
        #expect(features("a", " MDTM", "b", code: 500) == .none)
        #expect(features("no features") == .none)
        #expect(features("x", "End") == .none)
        #expect(!Features.none.contains("SIZE"))
        #expect(Features.none.mlstFacts.isEmpty)
    }

    @Test func takesWhatTheParserOfRepliesGives() throws {
        var parser = ReplyParser()
        try parser.consume(bytes("211-Extensions supported\r\n211-SIZE\r\n211-MLST size*;\r\n211 End\r\n"))
        let next = parser.next()
        let reply = try #require(next)
        let features = Features(parsing: reply)
        #expect(features.contains("SIZE"))
        #expect(
            features.mlstFacts
                == Features(parsing: Reply(code: 211, lines: ["", "MLST size*", ""].map(bytes))).mlstFacts)
    }
}
