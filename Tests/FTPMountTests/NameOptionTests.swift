import FTPClient
import Testing

@testable import FTPMount

/// The options about names and the login.
@Suite("The options about names")
struct NameOptionTests {
    private func options(_ text: String) throws(MountOptions.Invalid) -> MountOptions {
        try MountOptions(parsing: [Array(text.utf8)])
    }

    @Test("take every name that the set has in other programs", arguments: ["charset", "codepage", "server_charset"])
    func charset(_ name: String) throws {
        #expect(try options("\(name)=koi8-r").charset?.name == "koi8-r")
        #expect(try options("\(name)=UTF-8").charset == nil)
    }

    @Test(
        "say what is allowed",
        arguments: [
            ("charset=KLINGON", "iconv -l"), ("charset=UTF-16", "contains ASCII"), ("charset=GBK//IGNORE", "iconv -l"),
            ("iocharset=koi8-r", "always UTF-8"), ("telnet_iac=maybe", "`auto`, `on` or `off`"),
        ])
    func refusals(_ text: String, _ remedy: String) {
        let error = #expect(throws: MountOptions.Invalid.self) { try options(text) }
        #expect(error?.reason.contains(remedy) == true)
    }

    @Test("keep the account out of messages")
    func account() throws {
        #expect(try options("account=sales").account == Array("sales".utf8))
        let error = #expect(throws: MountOptions.Invalid.self) { try options("account=a\nb") }
        #expect(error?.reason.contains("a\nb") == false)
    }

    @Test("know both ways to send 0xFF")
    func telnet() throws {
        #expect(try options("telnet_iac=on").telnetEscape == true)
        #expect(try options("telnet_iac=off").telnetEscape == false)
        #expect(try options("telnet_iac=on,telnet_iac=auto").telnetEscape == nil)
        #expect(try options("iocharset=utf8").charset == nil)
    }
}
