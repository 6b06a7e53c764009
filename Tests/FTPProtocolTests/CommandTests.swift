import FTPProtocol
import Testing

@Suite struct CommandTests {
    @Test func writesALine() throws {
        #expect(try Command("NOOP").wire == bytes("NOOP\r\n"))
        #expect(try Command("CWD", " a b ").wire == bytes("CWD  a b \r\n"))
        #expect(try Command("SITE CHMOD", "644 x").wire == bytes("SITE CHMOD 644 x\r\n"))
        #expect(try Command("RETR", [0xFF, 0xE4]).wire == bytes("RETR ") + [0xFF, 0xE4, 0x0D, 0x0A])
        #expect(try Command("CWD", "").wire == bytes("CWD \r\n"))
    }

    @Test(arguments: ["a\r\nDELE b", "a\rb", "a\nb", "a\0b", "\n", "a\r"])
    func refusesASecondCommand(argument: String) {
        #expect(throws: Command.Unsendable.self) { try Command("RETR", argument).wire }
    }

    @Test func keepsSecretsOutOfLogs() {
        #expect(Command("PASS", bytes("secret"), isSecret: true).description == "PASS ****")
        #expect(Command("PASS", "secret").description == "PASS ****")
        #expect(Command("ACCT", "secret").description == "ACCT ****")
        #expect(Command("USER", "me").description == "USER me")
        #expect(Command("PWD").description == "PWD")
        #expect(Command("CWD", [0x1B, 0xFF]).description == "CWD \\x1b\\xff")
    }
}
