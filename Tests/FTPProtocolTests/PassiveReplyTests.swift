import FTPProtocol
import Testing

@Suite struct PassiveReplyTests {
    @Test(
        arguments: [
            ("Entering Extended Passive Mode (|||6446|)", 6446), ("(!!!6446!)", 6446), ("Extended (|||1|).", 1),
            ("(|||65535|)", 65535), ("no parentheses |||6446|", 6446), ("|||6446|", 6446), ("(|2|::1|6446|)", 6446),
            ("(|1|132.235.1.2|6275|)", 6275), ("(||| 6446 |)", 6446), ("(see) (|||6446|)", 6446), ("(xxx6446x)", 6446),
            ("Mode (|||06446|)", 6446), ("(|||6446|", 6446),
            // None, or none that can be connected to.
            ("", nil), ("(|||0|)", nil), ("(|||65536|)", nil), ("(|||99999999999999999999999|)", nil),
            ("(|||-1|)", nil),
            ("(||||)", nil), ("(|||6446!)", nil), ("(||6446|)", nil), ("(|||6446", nil), ("(|||64 46|)", nil),
            ("227 Entering Passive Mode (127,0,0,1,4,5)", nil), ("(", nil), ("|", nil), ("(|||", nil),
            ("(|123|x|6446|)", nil),
        ] as [(String, UInt16?)])
    func extended(text: String, port: UInt16?) {
        #expect(PassiveReply.parseExtended(bytes(text)) == port)
    }

    @Test(
        arguments: [
            ("Entering Passive Mode (127,0,0,1,4,5).", [127, 0, 0, 1], 1029),
            ("Entering Passive Mode 127,0,0,1,4,5", [127, 0, 0, 1], 1029), ("=127,0,0,1,4,5", [127, 0, 0, 1], 1029),
            ("(127, 0, 0, 1, 4, 5)", [127, 0, 0, 1], 1029), ("( 127 ,0,0,1 , 4,5 )", [127, 0, 0, 1], 1029),
            ("127,0,0,1,4,5", [127, 0, 0, 1], 1029), ("(0,0,0,0,0,1)", [0, 0, 0, 0], 1),
            ("(255,255,255,255,255,255)", [255, 255, 255, 255], 65535),
            ("(127,000,000,001,004,005)", [127, 0, 0, 1], 1029),
            ("Version 2.1, mode 10,1,2,3,4,5", [10, 1, 2, 3], 1029), ("(mode 3) (10,1,2,3,4,5)", [10, 1, 2, 3], 1029),
            ("1234,10,1,2,3,4,5", [10, 1, 2, 3], 1029), ("(10,1,2,3,4,5", [10, 1, 2, 3], 1029),
        ] as [(String, [UInt8], UInt16)])
    func classic(text: String, address: [UInt8], port: UInt16) throws {
        let found = try #require(PassiveReply.parse(bytes(text)))
        #expect(found.address == address)
        #expect(found.port == port)
    }

    @Test(arguments: [
        "", "Entering Passive Mode", "(127,0,0,1,4)", "(127.0.0.1,4,5)", "(256,0,0,1,4,5)", "(127,0,0,1,256,5)",
        "(127,0,0,1,0,0)", "(127,0,0,1,,5)", "(-1,0,0,1,4,5)", "(127,0,0,1,4,", "1,2,3,4,5", "(|||6446|)",
    ])
    func classicWithoutAnAddress(text: String) {
        #expect(PassiveReply.parse(bytes(text)) == nil)
    }
}
