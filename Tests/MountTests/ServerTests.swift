import TestSupport
import Testing

extension Mounts {
    /// The test servers themselves: `scripts/test-servers`.
    @Suite struct Servers {
        /// All ways of reaching the servers but the plain ones, which have a test of their own.
        static let others = TestServer.Kind.real.flatMap { kind in
            [TestServer.name(kind, .explicit, isOld: true, .ipv4)]
                + kind.ways.flatMap { security in
                    Endpoint.Family.allCases.compactMap { family in
                        security == .off && family == .ipv4 ? nil : TestServer.name(kind, security, family)
                    }
                }
        }

        @Test func `serve by TLS and at ::1 as the tests need it`() throws {
            let run = try TemporaryDirectory("selftest")
            let common = ["--run", run.path("run"), "--root", run.path("root")]
            let script = Repository.script("test-servers")
            defer { _ = try? Shell.run([script, "stop"] + common) }
            let outcome = try Shell.run([script, "selftest"] + Self.others + common, timeout: .seconds(300))
            #expect(outcome.succeeded, "\(outcome)")
        }

        @Test(arguments: TestServer.Kind.real)
        func `serve as the tests need it, refuse a wrong password, and end without a trace`(_ kind: TestServer.Kind)
            throws
        {
            let run = try TemporaryDirectory("selftest")
            let common = ["--run", run.path("run"), "--root", run.path("root")]
            let script = Repository.script("test-servers")
            defer { _ = try? Shell.run([script, "stop"] + common) }
            let outcome = try Shell.run([script, "selftest", kind.rawValue] + common, timeout: .seconds(300))
            #expect(outcome.succeeded, "\(outcome)")

            let stopped = try Shell.run([script, "stop"] + common)
            #expect(stopped.succeeded, "\(stopped)")
            let status = try Shell.run([script, "status"] + common)
            #expect(status.output == "[]\n")
        }
    }
}
