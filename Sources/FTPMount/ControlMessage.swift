import Vocabulary

/// What is asked of a mounting process through its control socket, and what it answers: one line of JSON each.
///
/// | request | answer | |
/// | --- | --- | --- |
/// | `{"command":"status"}` | `{"ok":true,"status":{…}}` | see ``MountStatus`` |
/// | `{"command":"refresh","path":"a/b"}` | `{"ok":true,"directories":3}` | how many will be listed anew |
/// | `{"command":"flush"}` | `{"ok":true,"unsent":[{"path":"/a","reason":"…"}]}` | when all has been tried |
/// | `{"command":"end"}` | the same, with `"kept":"…"` | when the mount has ended and all has been tried |
/// | `{"command":"clean"}` | `{"ok":true,"removed":["/a"],"unsent":[{"path":"/b","reason":"…"}]}` | when all has been tried |
///
/// What cannot be done is answered with `{"ok":false,"error":"…"}`.
enum ControlMessage {
    /// More than the longest path (PATH_MAX, 4096 bytes, each written as `\uXXXX`) and the words around it.
    static let longestRequest = 32 << 10
    /// A status lists at most 64 connections, 100 uploads, 20 faults; each can hold a path or two.
    static let longestAnswer = 8 << 20

    /// What is asked.
    enum Request: Hashable {
        case status
        /// The path is relative to the root of the mount.
        case refresh(RemotePath)
        case flush
        /// To hear how the mount has ended.
        case end
        /// To remove what mounts have left on the server.
        case clean

        /// Reads a line.
        ///
        /// - Throws: ``Refused`` with the text for the answer.
        init(parsing line: [UInt8]) throws(Refused) {
            guard let message = JSON(parsing: line) else { throw Refused(reason: "this is not JSON") }
            switch message["command"]?.stringValue {
            case "status": self = .status
            case "flush": self = .flush
            case "end": self = .end
            case "clean": self = .clean
            case "refresh":
                guard let path = message["path"]?.stringValue, let path = RemotePath(relative: path) else {
                    throw Refused(reason: "refresh needs a path without . and ..")
                }
                self = .refresh(path)
            case let command?: throw Refused(reason: "the command \(printable(command.utf8)) is not known")
            case nil: throw Refused(reason: "there is no command")
            }
        }

        /// The line, with its end.
        var line: [UInt8] {
            let members: [(String, JSON)]
            switch self {
            case .status: members = [("command", .string("status"))]
            case .flush: members = [("command", .string("flush"))]
            case .end: members = [("command", .string("end"))]
            case .clean: members = [("command", .string("clean"))]
            case .refresh(let path):
                let text = String(decoding: path.joined, as: UTF8.self)
                members = [("command", .string("refresh")), ("path", .string(text))]
            }
            return Array((JSON.object(members).line + "\n").utf8)
        }
    }

    /// A request that is not carried out, and why.
    struct Refused: Error, Hashable {
        let reason: String

        var answer: JSON { .object([("ok", .bool(false)), ("error", .string(reason))]) }
    }

    /// A file that could not be sent.
    struct Unsent: Hashable, Sendable {
        /// Where it belongs, for people.
        let path: String
        let reason: String
        /// Where its content is; `nil` when the mount still has it.
        let kept: String?
    }

    static func answer(unsent files: [Unsent]) -> JSON {
        let list = files.map { file in
            let kept = file.kept.map { [("kept", JSON.string($0))] } ?? []
            return JSON.object([("path", .string(file.path)), ("reason", .string(file.reason))] + kept)
        }
        return .object([("ok", .bool(true)), ("unsent", .array(list))])
    }

    /// Reads what ``answer(unsent:)`` wrote; `nil` for anything else.
    static func unsent(in answer: JSON) -> [Unsent]? {
        answer["unsent"]?.arrayValue?.compactMap { file in
            guard let path = file["path"]?.stringValue, let reason = file["reason"]?.stringValue else { return nil }
            return Unsent(path: path, reason: reason, kept: file["kept"]?.stringValue)
        }
    }
}

extension RemotePath {
    /// A path of names with slashes between them; empty for the root. `nil` when something in it is no name.
    init?(relative text: String) {
        var names: [FileName] = []
        for part in text.utf8.split(separator: UInt8(ascii: "/")) {
            guard let name = try? FileName(validating: part) else { return nil }
            names.append(name)
        }
        self.init(names)
    }
}
