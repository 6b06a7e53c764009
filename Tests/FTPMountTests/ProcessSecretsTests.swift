import Testing

@testable import FTPMount

/// No password in `ps`.
@Suite("The arguments in memory")
struct ProcessSecretsTests {
    @Test(
        "have stars where a password was, and nowhere else",
        arguments: [
            ("ftp://me:hunter2@h/d", "ftp://me:*******@h/d"),
            ("ftp://me@home:hunter2@h:21/d@e", "ftp://me@home:*******@h:21/d@e"),
            // Not a URL that will be taken, but the password in it is one.
            ("ftp://me:hunt/r2@h/", "ftp://me:*******@h/"),
            ("ftps://me:hunter2@h/", "ftps://me:*******@h/"),
            ("ftp://me@h/a:b", "ftp://me@h/a:b"),
            ("ftp://h:21/a@b:c", "ftp://h:****@b:c"),
            ("ftp://h/d", "ftp://h/d"),
            ("ro,password=hunter2,uid=5", "ro,password=*******,uid=5"),
            (#"pass=hun\,er2,ro"#, "pass=********,ro"),
            (#"password="hun,er2",ro"#, "password=*********,ro"),
            ("-opassword=hunter2", "-opassword=*******"),
            ("-fopassword=hunter2", "-fopassword=*******"),
            ("user=me:hunter2,ro", "user=**********,ro"),
            ("password=", "password="),
            ("username=me,credentials=/c", "username=me,credentials=/c"),
            ("/mnt/password", "/mnt/password"),
            ("-d", "-d"),
        ])
    func stars(argument: String, expected: String) {
        var bytes = Array(argument.utf8)
        for index in ProcessSecrets.secretRanges(in: [bytes]).joined().joined() { bytes[index] = UInt8(ascii: "*") }

        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }
}
