import Logging
import SystemPackage
import Testing

@testable import FTPMount

/// What the log of a mount looks like.
@Suite("The log")
struct LogTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "550 no\r\n"
    }

    @Test("is one line for each record, with its level, and nothing in it can break the line")
    func lines() throws {
        let pipe = try FileDescriptor.pipe()
        defer { try? pipe.readEnd.close() }
        var logger = Logger(label: "test") { _ in LineLogHandler(to: pipe.writeEnd, level: .info) }
        logger[metadataKey: "connection"] = "2"

        logger.debug("not shown")
        logger.info("one\ntwo \u{1B}[31m", metadata: ["bytes": "7"])
        logger.log(level: .error, "failed", error: Broken())
        try pipe.writeEnd.close()

        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try buffer.withUnsafeMutableBytes { try pipe.readEnd.read(into: $0) }
        let lines = String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n")
        // Behind the date and the time of 23 characters.
        #expect(
            lines.map { String($0.dropFirst(24)) } == [
                #"info: one\x0atwo \x1b[31m bytes=7 connection=2"#,
                #"error: failed: 550 no\x0d\x0a connection=2"#,
            ])
    }

    @Test("goes to syslog with the severities of RFC 5424")
    func severities() {
        #expect(Logger.Level.allCases.map(SyslogLogHandler.priority) == [7, 7, 6, 5, 4, 3, 2])
    }
}
