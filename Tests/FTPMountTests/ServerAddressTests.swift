import FTPClient
import Testing

@testable import FTPMount

/// The URL of a mount: `ftp://[user[:password]@]host[:port]/[path]`.
@Suite("The URL")
struct ServerAddressTests {
    struct Good: CustomTestStringConvertible, Sendable {
        let url: String
        var user: String?
        var password: String?
        var host = "h"
        var port: UInt16?
        var path = ""
        let source: String
        var testDescription: String { url }
    }

    @Test(
        "is taken apart",
        arguments: [
            Good(url: "ftp://h", source: "ftp://h/"),
            Good(url: "ftp://h/", source: "ftp://h/"),
            Good(
                url: "FTP://ftp.example.com:2121/", host: "ftp.example.com", port: 2121,
                source: "ftp://ftp.example.com:2121/"),
            Good(url: "ftp://h:/", source: "ftp://h/"),
            Good(url: "ftp://me@h/", user: "me", source: "ftp://h/"),
            Good(url: "ftp://me:@h/", user: "me", password: "", source: "ftp://h/"),
            Good(url: "ftp://me:pw@h/", user: "me", password: "pw", source: "ftp://h/"),
            Good(url: "ftp://me:a:b@h/", user: "me", password: "a:b", source: "ftp://h/"),
            Good(
                url: "ftp://me%40home:p%2Fq%25@h/d", user: "me@home", password: "p/q%", path: "d", source: "ftp://h/d"),
            // An unescaped @ in the user's name is what people type: the last one counts.
            Good(url: "ftp://me@home.org:pw@h/", user: "me@home.org", password: "pw", source: "ftp://h/"),
            // The path is relative to the login directory (RFC 1738 §3.2.2) …
            Good(url: "ftp://h/a/b", path: "a/b", source: "ftp://h/a/b"),
            Good(url: "ftp://h/a/b/", path: "a/b", source: "ftp://h/a/b"),
            // … unless it begins with an escaped slash.
            Good(url: "ftp://h/%2Fa/b", path: "/a/b", source: "ftp://h/%2Fa/b"),
            Good(url: "ftp://h/%2f", path: "/", source: "ftp://h/%2F"),
            Good(url: "ftp://h/%2F/a", path: "/a", source: "ftp://h/%2Fa"),
            Good(url: "ftp://h/a b/c%20d", path: "a b/c d", source: "ftp://h/a%20b/c%20d"),
            // FTP URLs have no query, and a # is seen in names more often than a fragment in a mount.
            Good(url: "ftp://h/a#b?c;d", path: "a#b?c;d", source: "ftp://h/a%23b%3Fc%3Bd"),
            Good(url: "ftp://h/user@home", path: "user@home", source: "ftp://h/user%40home"),
            Good(url: "ftp://[::1]/", host: "::1", source: "ftp://[::1]/"),
            Good(url: "ftps://me:pw@h/d", user: "me", password: "pw", path: "d", source: "ftps://h/d"),
            Good(url: "FTPIS://h:991/", port: 991, source: "ftps://h:991/"),
            Good(url: "ftpes://h", source: "ftpes://h/"),
            Good(
                url: "ftp://u@[fe80::1%eth0]:21/x", user: "u", host: "fe80::1%eth0", port: 21, path: "x",
                source: "ftp://[fe80::1%eth0]:21/x"),
        ])
    func good(_ row: Good) throws {
        let address = try ServerAddress(parsing: row.url)

        #expect(address.user == row.user.map { Array($0.utf8) })
        #expect(address.password?.bytes == row.password.map { Array($0.utf8) })
        #expect(address.host == row.host)
        #expect(address.port == row.port)
        #expect(address.directory.path == Array(row.path.utf8))
        #expect(address.sourceName == row.source)
    }

    @Test("may name bytes that are not UTF-8")
    func bytes() throws {
        let address = try ServerAddress(parsing: "ftp://u%FF:p%FE@h/d%E9j%E0")

        #expect(address.user == [0x75, 0xFF])
        #expect(address.password?.bytes == [0x70, 0xFE])
        #expect(address.directory.path == [0x64, 0xE9, 0x6A, 0xE0])
        #expect(address.sourceName == "ftp://h/d%E9j%E0")
    }

    @Test(
        "of a source name is read back to the same place",
        arguments: ["ftp://h/%2F", "ftp://h:21/%2Fa/b%20c", "ftp://[::1]/x"])
    func roundTrip(url: String) throws {
        let address = try ServerAddress(parsing: url)

        #expect(try ServerAddress(parsing: address.sourceName).directory == address.directory)
        #expect(address.sourceName == url)
    }

    @Test(
        "is refused with the reason and the remedy",
        arguments: [
            ("h:/dir", "write ftp://HOST/DIRECTORY"),
            ("ftp:h/dir", "write ftp://HOST/DIRECTORY"),
            ("http://h/", "does not begin with ftp://"),
            ("ftpx://h/", "ftpes:// or ftps:// for TLS"),
            ("ftp://", "names no host"),
            ("ftp:///dir", "names no host"),
            ("ftp://@h/", "user name before @ is empty"),
            ("ftp://:pw@h/", "user name before @ is empty"),
            ("ftp://h:0/", "1...65535"),
            ("ftp://h:65536/", "1...65535"),
            ("ftp://h:+21/", "1...65535"),
            ("ftp://h o/", "no host name has"),
            ("ftp://::1/", "write an IPv6 address as [ADDRESS]"),
            ("ftp://[::1/", "no closing ]"),
            ("ftp://[::1]x/", "only :PORT may"),
            ("ftp://[h]/", "not an IPv6 address"),
            ("ftp://h//a", "write an absolute path as ftp://HOST/%2FDIRECTORY"),
            ("ftp://h/a//b", "empty name"),
            ("ftp://h/a/../b", ". or .."),
            ("ftp://h/./a", ". or .."),
            ("ftp://h/a%2Fb", "not its first character"),
            ("ftp://h/a%0D%0ADELE x", "line end"),
            ("ftp://h/a%00", "NUL"),
            ("ftp://u%0A@h/", "line end"),
            ("ftp://u:p%0D@h/", "line end"),
            ("ftp://h/100%", "write % as %25"),
            ("ftp://u%4@h/", "write %25"),
            ("ftp://h/" + String(repeating: "x", count: 256), "255 bytes"),
        ])
    func bad(url: String, reason: String) {
        #expect {
            _ = try ServerAddress(parsing: url)
        } throws: {
            ($0 as? ServerAddress.Invalid)?.reason.contains(reason) == true
        }
    }

    @Test(
        "never shows a password in what it complains about",
        arguments: [
            "ftp://me:hunter2/x@h/", "ftp://me:hunter2%zz@h/", "ftp://me:hunter2:hunter2/", "ftp://me:hunter2%0A@h/",
            "ftpx://me:hunter2@h/", "ftps://me:hunter2@h o/", "me:hunter2@h",
        ])
    func silence(url: String) {
        #expect {
            _ = try ServerAddress(parsing: url)
        } throws: {
            !"\($0)".contains("hunter2")
        }
    }
}
