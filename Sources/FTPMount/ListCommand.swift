#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command `ftpfs list`: all ftpfs mounts of this user, for root of everybody.
package enum ListCommand {
    /// How a mount stands.
    private enum State: String {
        case serving
        /// It is unmounted, and its process still sends.
        case ending
        /// It was taken away (`--lazy`) while somebody uses it.
        case detached
        /// Its process is there, and cannot be asked.
        case silent
        /// Its process is gone.
        case dead
    }

    /// How long one mount may take to answer: one that hangs is to be shown among the others.
    private static let patience = Duration.seconds(2)

    private struct Row {
        let state: State
        let source: String
        let mountPoint: String
        let process: Int64?
        var unsent: Int64 = 0
        var isReadOnly = false
    }

    /// Prints a line for each, or JSON.
    package static func run(asJSON: Bool, program: String) -> ExitCode {
        CommandOutput.run(program) { output throws(MountFailure) in
            let rows = rows()
            output.say(asJSON ? json(rows).text + "\n" : text(rows, .suiting(STDOUT_FILENO)))
            return .success
        }
    }

    /// The mounts that this user may ask about.
    static func places() -> [MountedPlace] {
        let table = MountTable.current()
        let user = geteuid()
        return table.own.filter { user == 0 || $0.owner == user }.map { MountedPlace($0, in: table) }
    }

    private static func rows() -> [Row] {
        let table = MountTable.current()
        let sources = Dictionary(table.own.map { ($0.mountPoint, $0.source) }, uniquingKeysWith: { $1 })
        let places = places()
        var rows = places.map { place -> Row in
            let source = sources[place.mountPoint] ?? ""
            do throws(ControlClient.Failure) {
                return row(of: try place.status(within: patience), mountPoint: place.mountPoint)
            } catch {
                let state: State = error == .unreachable && place.isDead ? .dead : .silent
                return Row(state: state, source: source, mountPoint: place.mountPoint, process: nil)
            }
        }
        // Those that are unmounted already have nothing but their sockets.
        let asked = Set(places.flatMap(\.client.paths))
        for directory in ControlDirectory.candidates(of: geteuid()) where directory.isSafe(for: geteuid()) {
            for path in directory.sockets where !asked.contains(path) {
                guard let status = try? ControlClient.status(at: path, owner: geteuid(), within: patience) else {
                    continue
                }
                rows.append(row(of: status, mountPoint: status.mountPoint, isMounted: false))
            }
        }
        return rows
    }

    private static func row(of status: MountStatus, mountPoint: String, isMounted: Bool = true) -> Row {
        let state: State =
            switch status.state {
            case .serving: isMounted ? .serving : .detached
            case .ending: .ending
            }
        return Row(
            state: state, source: status.source, mountPoint: mountPoint,
            process: status.process, unsent: status.uploadCount, isReadOnly: status.isReadOnly)
    }

    private static func text(_ rows: [Row], _ style: TerminalStyle) -> String {
        let width = rows.map(\.mountPoint.count).max() ?? 0
        return rows.map { row in
            let word = Layout.padded(row.state.rawValue, to: 10)
            let state =
                switch row.state {
                case .serving: style.green(word)
                case .ending, .detached: style.yellow(word)
                case .silent, .dead: style.red(word)
                }
            let unsent = row.unsent > 0 ? "  \(Quantity.count(row.unsent, "file")) unsent" : ""
            let mode = row.isReadOnly ? "  read only" : ""
            return "\(state)\(Layout.padded(row.mountPoint, to: width))  \(row.source)\(mode)\(unsent)\n"
        }.joined()
    }

    private static func json(_ rows: [Row]) -> JSON {
        .array(
            rows.map { row in
                .object([
                    ("state", .string(row.state.rawValue)), ("mount_point", .string(row.mountPoint)),
                    ("source", .string(row.source)), ("pid", row.process.map(JSON.integer) ?? .null),
                    ("read_only", .bool(row.isReadOnly)), ("unsent_files", .integer(row.unsent)),
                ])
            })
    }
}
