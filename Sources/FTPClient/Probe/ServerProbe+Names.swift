import FTPProtocol
import Vocabulary

/// Which names of files a server keeps as they are.
extension ServerProbe {
    static let nameSteps: [Step] = [
        name("blank", "with blanks inside", Array("a b  c".utf8)),
        name("outer_blank", "with a blank at either end", Array(" a ".utf8)),
        name("pattern", "with pattern characters", Array("[a]*{b}?".utf8)),
        name("utf8", "in UTF-8", Array("Grüße 日本".utf8)),
        name("latin1", "in ISO 8859-1", [0x47, 0x72, 0xFC, 0xDF, 0x65]),
        name("telnet", "with the byte 0xFF", [0x61, 0xFF, 0x62]),
        name("case", "that differ in case only", Array("SAMPLE".utf8), beside: Array("sample".utf8)),
        name("long", "of 255 bytes", Array(repeating: 0x6C, count: FileName.maximumLength)),
    ]

    private static func name(_ key: String, _ title: String, _ name: [UInt8], beside: [UInt8] = [0x62]) -> Step {
        Step(section: .names, key: key, title: title, needsScratch: true) { (run) throws(FTPError) in
            guard let scratch = run.scratch else { throw .closed }
            let (first, second) = (try run.place(name), try run.place(beside))
            try run.write([1], to: first)
            try run.write([2], to: second)
            let listed = Set(try run.session().list(scratch, run.cancellation).entries.map(\.name.bytes))
            let isThere = listed.contains(name) && listed.contains(beside)
            let content = isThere ? try run.read(first) : []
            try run.session().removeFile(first, run.cancellation)
            return .init(content == [1])
        }
    }
}
