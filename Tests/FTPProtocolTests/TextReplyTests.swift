import FTPProtocol
import Testing
import Vocabulary

/// The texts of 257, 213 and 150.
@Suite struct TextReplyTests {
    @Test(
        arguments: [
            ("\"/\" is the current directory", "/"), ("\"/home/a b\"", "/home/a b"), ("\"/a\"\"b\" is", "/a\"b"),
            ("\"\"\"a\"\"\"", "\"a\""), ("is \"/x\"", "/x"), ("\"/unclosed", "/unclosed"),
            ("\"'USER.'\" is", "'USER.'"),
            ("\"/a\" is \"b\"", "/a"), ("/home/user is current", "/home/user"), ("  /x  ", "/x"),
            ("C:\\ftp root", "C:\\ftp"),
            ("\\\\host\\share", "\\\\host\\share"), ("DISK:[USER.DIR] is", "DISK:[USER.DIR]"),
            ("\"DISK:[USER]\"", "DISK:[USER]"),
            ("\"/ü\"", "/ü"), ("\"relative\" created", "relative"),
            ("", nil), ("is the current directory", nil), ("\"\"", nil), ("\"", nil), ("\"/a\rb\"", nil),
            ("\"/a\0\"", nil),
        ] as [(String, String?)])
    func workingDirectory(text: String, path: String?) {
        #expect(WorkingDirectoryReply.parse(bytes(text)) == path.map(bytes))
    }

    @Test(
        arguments: [
            ("1024", 1024), ("0", 0), (" 1024 ", 1024), ("File size: 1024", 1024), ("1024 bytes", 1024),
            ("/a 1 1024", 1024),
            ("9223372036854775807", .max), ("9223372036854775808", nil), ("-1", nil), ("", nil), ("none", nil),
            ("1024x", nil),
        ] as [(String, Int64?)])
    func size(text: String, size: Int64?) {
        #expect(SizeReply.parse(bytes(text)) == size)
    }

    @Test(arguments: [
        ("20240610101112", utc(2024, 6, 10, 10, 11, 12)), ("20240610101112 GMT", utc(2024, 6, 10, 10, 11, 12)),
        ("MDTM 20240610101112", utc(2024, 6, 10, 10, 11, 12)), ("", nil), ("not plain file", nil), ("123", nil),
    ])
    func modificationTime(text: String, time: Timestamp?) {
        #expect(ModificationTimeReply.parse(bytes(text)) == time)
    }

    @Test(
        arguments: [
            ("Opening BINARY mode data connection for a.txt (1024 bytes).", 1024), ("a (5 bytes) (1024 bytes)", 1024),
            ("(1 byte)", 1), ("( 1024 Bytes )", 1024), ("Opening", nil), ("(1.5 kbytes)", nil), ("(bytes)", nil),
            ("(", nil),
            ("(1024)", nil), ("(-1 bytes)", nil), ("(99999999999999999999 bytes)", nil),
        ] as [(String, Int64?)])
    func transferSize(text: String, size: Int64?) {
        #expect(TransferReply.parseSize(bytes(text)) == size)
    }
}
