import Testing

@testable import FTPMount

/// JSON that comes over a socket.
@Suite("JSON that is read")
struct JSONParsingTests {
    @Test(
        "is understood",
        arguments: [
            ("null", "null"), (" true ", "true"), ("false", "false"), ("-17", "-17"),
            ("9223372036854775807", "9223372036854775807"), (#""""#, #""""#), ("[]", "[]"), ("{}", "{}"),
            (#"[1, [2] ,{"a" : "b"}]"#, #"[1,[2],{"a":"b"}]"#), (#"{"a":1,"a":2}"#, #"{"a":1,"a":2}"#),
            (#""\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00""#, "\"\\\"\\\\/\\u0008\\u000c\\n\\u000d\\u0009\u{e9}\u{1F600}\""),
            ("\"\u{e9}\u{1F600}\"", "\"\u{e9}\u{1F600}\""),
        ])
    func good(_ text: String, _ again: String) throws {
        let value = try #require(JSON(parsing: text.utf8))
        #expect(value.line == again)
        #expect(JSON(parsing: value.text.utf8)?.line == again)
    }

    @Test(
        "is refused when it is anything else",
        arguments: [
            "", " ", "nul", "true false", "1.5", "1e3", "--1", "-", "+1", "9223372036854775808", "\"", "\"a", #""\x""#,
            #""\u12""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "\"a\nb\"", "[", "[1", "[1,", "[1,]", "[,]",
            "{", "{}}", #"{"a"}"#, #"{"a":}"#, "{1:2}", #"{"a":1,}"#, "'a'", "// x", "\u{FEFF}1",
            String(repeating: "[", count: 17) + String(repeating: "]", count: 17),
            String(repeating: "[", count: 100_000),
        ])
    func bad(_ text: String) {
        #expect(JSON(parsing: text.utf8)?.line == nil)
    }

    @Test("is refused where a text is not UTF-8")
    func notUTF8() {
        #expect(JSON(parsing: [0x22, 0xFF, 0x22] as [UInt8])?.line == nil)
        #expect(JSON(parsing: [0x22, 0xC0, 0x80, 0x22] as [UInt8])?.line == nil)
    }

    @Test("may be nested as deep as a status is, and some more")
    func depth() {
        #expect(
            JSON(parsing: (String(repeating: "[", count: 15) + String(repeating: "]", count: 15)).utf8)?.line != nil)
    }

    @Test("gives its members by name and kind")
    func members() throws {
        let value = try #require(JSON(parsing: #"{"a":"b","n":3,"t":true,"l":[1]}"#.utf8))
        #expect(value["a"]?.stringValue == "b" && value["a"]?.integerValue == nil)
        #expect(value["n"]?.integerValue == 3 && value["t"]?.boolValue == true)
        #expect(value["l"]?.arrayValue?.count == 1 && value["x"]?.line == nil && JSON.null["a"]?.line == nil)
    }
}
