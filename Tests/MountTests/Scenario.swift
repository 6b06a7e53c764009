import TestSupport
import Testing

/// One thing that people do with files: a shell script in `Scenarios` (`Scenarios/run` says what it consists of).
struct Scenario: Hashable, Sendable, CustomTestStringConvertible {
    let name: String

    var testDescription: String { name }

    /// All of them, in the order of their names.
    static let all: [Scenario] = {
        let listing = try? Shell.run("cd \"$DIRECTORY\" && ls -1 *.sh", ["DIRECTORY": directory])
        return (listing?.output ?? "").split(separator: "\n").map { Scenario(name: String($0.dropLast(3))) }
    }()

    /// How long one may take before its processes are killed. The longest take a few seconds on an idle machine.
    static let limit = Duration.seconds(90)

    static let directory = "\(Repository.root)/Tests/MountTests/Scenarios"

    /// Puts the files that the scenario starts with into the server's directory.
    func prepare(server: String) throws {
        let outcome = try run("given", mount: server, server: server)
        guard outcome.succeeded else { throw TestFailure("\(name), given: \(outcome)") }
    }

    /// Does it.
    func perform(mount: String, server: String) throws -> Shell.Outcome {
        try run("scenario", mount: mount, server: server)
    }

    private func run(_ step: String, mount: String, server: String) throws -> Shell.Outcome {
        let scratch = try TemporaryDirectory("scratch")
        return try Shell.run(
            ["\(Self.directory)/run", step, "\(Self.directory)/\(name).sh"],
            ["MOUNT": mount, "SERVER": server, "SCRATCH": scratch.path], timeout: Self.limit)
    }
}
