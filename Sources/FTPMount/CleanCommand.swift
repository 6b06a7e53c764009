import FileSystem
import Vocabulary

/// The command `ftpfs clean`.
package enum CleanCommand {
    /// For how long a temporary file must not have been written to be taken for one that nobody uses: an upload that is under
    /// way writes all the time, also on a slow line, and one that has stopped for so long has been given up.
    static let age = Duration.seconds(3600)

    /// A thousand of them on a line with a round trip of half a second.
    private static let patience = Duration.seconds(600)

    /// Removes temporary files that mounts which were killed have left on the server, in the directories that this mount has
    /// seen. Blocks for a round trip for each.
    ///
    /// - Returns: success when all are gone.
    package static func run(_ path: String, program: String) -> ExitCode {
        CommandOutput.run(program) { output throws(MountFailure) in
            let place = try MountedPlace.mount(at: path)
            let answer: JSON
            do throws(ControlClient.Failure) {
                answer = try place.client.ask(.clean, within: patience)
            } catch {
                throw error.failure(at: place)
            }
            let removed = answer["removed"]?.arrayValue?.compactMap(\.stringValue) ?? []
            _ = output.say(removed.map { "removed \(printable($0.utf8))\n" }.joined())
            let failed = ControlMessage.unsent(in: answer) ?? []
            for file in failed {
                output.complain(MountFailure(.mountFailed, "\(file.path) cannot be removed: \(file.reason)"))
            }
            return failed.isEmpty ? .success : .mountFailed
        }
    }
}

extension ControlMessage {
    /// What has become of temporary files that were to be removed.
    struct Cleaned: Hashable, Sendable {
        var removed: [String] = []
        var failed: [Unsent] = []

        mutating func note(_ file: LeftOver, _ error: StoreError?) {
            if let error {
                failed.append(
                    Unsent(path: file.path.description, reason: printable("\(error)".utf8), kept: nil))
            } else {
                removed.append(file.path.description)
            }
        }

        var answer: JSON {
            let list = failed.map { JSON.object([("path", .string($0.path)), ("reason", .string($0.reason))]) }
            return .object([
                ("ok", .bool(true)), ("removed", .array(removed.map(JSON.string))), ("unsent", .array(list)),
            ])
        }
    }
}
