import TestSupport
import Testing

extension Mounts {
    /// What people do with files works through the mount, on every server, and leaves the right bytes there.
    @Suite struct Scenarios {
        /// One scenario on one server.
        struct Row: Sendable, CustomTestStringConvertible {
            let setting: ScenarioMount.Setting
            let scenario: Scenario

            var testDescription: String { "\(setting.server), connections=\(setting.connections): \(scenario.name)" }

            var isLastOfItsMount: Bool { scenario == Scenario.all.last }

            static let all: [Row] = TestServer.Kind.available.flatMap { server in
                [4, 1].flatMap { connections in
                    Scenario.all.map { Row(setting: .init(server: server, connections: connections), scenario: $0) }
                }
            }
        }

        @Test(arguments: Scenario.all)
        func `holds on a plain directory`(_ scenario: Scenario) throws {
            let directory = try TemporaryDirectory("plain")
            try scenario.prepare(server: directory.path)
            let outcome = try scenario.perform(mount: directory.path, server: directory.path)
            #expect(outcome.succeeded, "\(outcome)")
        }

        @Test(arguments: Row.all)
        func `holds on a mounted server`(_ row: Row) throws {
            let failure = try ScenarioMount.perform(row.scenario, row.setting)
            #expect(failure == nil, "\(failure ?? "")")
            if row.isLastOfItsMount {
                let wrongEnd = try ScenarioMount.finish()
                #expect(wrongEnd == nil, "\(wrongEnd ?? "")")
            }
        }
    }
}
