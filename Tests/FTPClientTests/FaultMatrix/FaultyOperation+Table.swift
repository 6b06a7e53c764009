import EmbeddedFTPServer
import FTPClient
import FileSystem
import Vocabulary

extension FaultyOperation {
    /// Everything that the server is asked for. The commands are those of a server that has machine listings, to which
    /// nothing is said ahead.
    static let all: [FaultyOperation] = asking + writing + changing

    private static let asking: [FaultyOperation] = [
        FaultyOperation(
            name: "login", verbs: [FaultPlan.greeting, "USER", "PASS", "FEAT", "CLNT", "OPTS"], prepare: { _ in },
            run: { _ = try $0.client.connect(cancellation: $0.cancellation) }, spared: ["FEAT", "CLNT", "OPTS"]),
        FaultyOperation(
            name: "list", verbs: ["PWD", "EPSV", "MLSD"], prepare: { _ = try $0.names("") },
            run: { try expect($0.names("d") == ["other", "small"]) }, spared: ["PWD", "EPSV"],
            replaceable: ["MLSD"]),
        FaultyOperation(
            name: "stat", verbs: ["MLSD"], prepare: { _ = try $0.names("") },
            run: { try expect($0.size("d/small") == 3) }, replaceable: ["MLSD"]),
        FaultyOperation(
            name: "read", verbs: ["TYPE", "EPSV", "RETR"], run: { try expect($0.read("d/small") == small) },
            spared: ["EPSV"]),
        FaultyOperation(
            name: "read in the middle", verbs: ["REST", "RETR"],
            run: {
                let wanted = (2_000_001..<2_100_001).map { MemoryTree.patternByte(at: Int64($0)) }
                try expect($0.read("d/big", at: 2_000_001, 100_000) == wanted)
            }, replaceable: ["REST"], usesBig: true),
    ]

    private static let writing: [FaultyOperation] = [
        FaultyOperation(
            name: "write new", verbs: ["TYPE", "EPSV", "STOR"], run: { try $0.save("d/new", new) },
            spared: ["EPSV"], halfway: .beginning("d/new", of: new)),
        FaultyOperation(
            name: "write large", verbs: ["STOR"], run: { try $0.save("d/new", large) },
            halfway: .beginning("d/new", of: large)),
        FaultyOperation(
            name: "fsync", verbs: ["STOR"], run: { try $0.save("d/new", new, syncs: true) },
            halfway: .beginning("d/new", of: new)),
        FaultyOperation(name: "create", verbs: ["EPSV", "STOR"], run: { try $0.save("d/new", []) }, spared: ["EPSV"]),
        FaultyOperation(
            name: "write over", verbs: ["TYPE", "EPSV", "STOR", "MLST", "RNFR", "RNTO"],
            run: { try $0.save("d/small", new) }, spared: ["EPSV", "MLST", "RNFR", "RNTO"]),
        FaultyOperation(
            name: "write over in place", verbs: ["STOR"], setting: .init(replacesInPlace: true),
            run: { try $0.save("d/small", new) }, halfway: .beginning("d/small", of: new)),
        FaultyOperation(
            name: "append", verbs: ["SIZE", "EPSV", "APPE"], run: { try $0.append("d/small", new) },
            spared: ["SIZE", "EPSV"], replaceable: ["APPE"],
            halfway: .beginning("d/small", of: small + new, atLeast: small.count)),
        FaultyOperation(
            name: "patch", verbs: ["SIZE", "EPSV", "REST", "STOR"],
            run: { try $0.write("d/big", new, at: Int64(middle.lowerBound)) },
            spared: ["SIZE", "EPSV"], replaceable: ["REST"], usesBig: true,
            halfway: Halfway(path: "d/big") { content in
                var content = content
                guard content.count == bigSize else { return false }
                for (index, byte) in zip(middle, new) where content[index] == byte {
                    content[index] = MemoryTree.patternByte(at: Int64(index))
                }
                return content == big
            }),
        FaultyOperation(
            name: "truncate", verbs: ["RETR", "STOR", "RNTO"],
            run: { try $0.change("d/small", AttributeChange(size: 1)) }, spared: ["RNTO"]),
        FaultyOperation(
            name: "empty", verbs: ["EPSV", "STOR"], run: { try $0.change("d/small", AttributeChange(size: 0)) },
            spared: ["EPSV"]),
    ]

    private static let changing: [FaultyOperation] = [
        FaultyOperation(name: "rename", verbs: ["RNFR", "RNTO"], run: { try $0.rename("d/small", "d/moved") }),
        FaultyOperation(name: "rename over", verbs: ["RNFR", "RNTO"], run: { try $0.rename("d/small", "d/other") }),
        FaultyOperation(
            name: "rename a directory", verbs: ["RNFR", "RNTO"], prepare: { _ = try $0.names("") },
            run: { try $0.rename("full", "d/moved") }),
        FaultyOperation(name: "unlink", verbs: ["DELE"], run: { try $0.unlink("d/small") }),
        FaultyOperation(name: "mkdir", verbs: ["MKD"], run: { try $0.mkdir("d/made") }),
        FaultyOperation(
            name: "rmdir", verbs: ["RMD"], prepare: { _ = try $0.names("") }, run: { try $0.rmdir("empty") }),
        FaultyOperation(
            name: "chmod", verbs: ["SITE"], run: { try $0.change("d/small", AttributeChange(mode: 0o600)) }),
        FaultyOperation(
            name: "utimens", verbs: ["MFMT"],
            run: { try $0.change("d/small", AttributeChange(modified: .to(Timestamp(seconds: 1_000_000_000)))) }),
    ]

    /// What was answered is what is on the server: a wrong answer is worse than an error.
    private static func expect(_ isRight: Bool) throws {
        if !isRight { throw WrongAnswer() }
    }

    struct WrongAnswer: Error {}
}

extension FaultyOperation.Halfway {
    /// A file that grows under its own name.
    static func beginning(_ path: String, of whole: [UInt8], atLeast: Int = 0) -> Self {
        Self(path: path) { $0.count >= atLeast && whole.starts(with: $0) }
    }
}
