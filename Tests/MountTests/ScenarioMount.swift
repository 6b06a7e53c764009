import TestSupport
import Threading

/// A mount that one scenario after the other uses, each in a directory of its own.
///
/// All directories are prepared on the server's side before the mount is made, so that nothing which the mount has
/// cached is changed behind its back. A mount that a scenario has broken is replaced for the next one.
final class ScenarioMount: Sendable {
    /// Which server, and how many connections to it the mount may use.
    struct Setting: Hashable, Sendable {
        let server: TestServer.Kind
        let connections: Int
    }

    private let setting: Setting
    private let server: TestServer
    private let mount: MountedFileSystem

    private init(_ setting: Setting, isPrepared: Bool) throws {
        self.setting = setting
        server = try TestServer.shared(setting.server)
        let base = "\(server.root)/\(setting.connections)"
        if !isPrepared {
            _ = try Shell.run("rm -rf -- \"$BASE\"", ["BASE": base])
            for scenario in Scenario.all {
                let directory = "\(base)/\(scenario.name)"
                _ = try Shell.run(["mkdir", "-p", directory])
                try scenario.prepare(server: directory)
            }
            _ = try Shell.run(["chown", "-R", "--reference=\(server.root)", base])
        }
        mount = try MountedFileSystem(
            server, String(setting.connections), options: ["connections=\(setting.connections)"])
    }

    /// Performs a scenario in the mount of its setting, which is made first if the last scenario had another one.
    static func perform(_ scenario: Scenario, _ setting: Setting) throws -> String? {
        let shared = try state.withLock { state throws in
            if let mount = state.mount, mount.setting == setting, mount.mount.isRunning { return mount }
            if let failure = state.failures[setting] { throw failure }
            let isPrepared = state.mount?.setting == setting
            state.mount?.mount.end()
            state.mount = nil
            do {
                let new = try ScenarioMount(setting, isPrepared: isPrepared)
                state.mount = new
                return new
            } catch {
                // Once is enough: the scenarios that follow fail for the same reason.
                state.failures[setting] = TestFailure("\(error)")
                throw error
            }
        }
        return try shared.perform(scenario)
    }

    /// Unmounts after the last scenario.
    ///
    /// - Returns: what was wrong with the end; `nil` when the program ended as it should.
    static func finish() throws -> String? {
        let last = state.withLock { state in
            defer { state.mount = nil }
            return state.mount
        }
        guard let last else { return "the mount was gone before the end" }
        let exit = try last.mount.unmount()
        _ = try Shell.run(["rm", "-rf", "--", "\(last.server.root)/\(last.setting.connections)"])
        return exit == .code(0)
            ? nil : "after umount ftpfs ended with \(exit.map { "\($0)" } ?? "nothing: it still runs")"
    }

    /// - Returns: what went wrong, with the end of the log; `nil` when nothing did.
    private func perform(_ scenario: Scenario) throws -> String? {
        let mark = mount.mark()
        let outcome = try scenario.perform(
            mount: "\(mount.path)/\(scenario.name)",
            server: "\(server.root)/\(setting.connections)/\(scenario.name)")
        let survived = mount.isRunning
        if outcome.succeeded, survived { return nil }
        let log = mount.log(since: mark).split(separator: "\n").suffix(60).joined(separator: "\n")
        // A program that hangs in the mount would hold up the next scenario as well.
        if outcome.exit == nil { mount.end() }
        return "\(outcome)\(survived ? "" : "ftpfs has ended\n")--- end of the log:\n\(log)"
    }

    private struct State {
        var mount: ScenarioMount?
        var failures: [Setting: TestFailure] = [:]
    }

    private static let state = Monitor(State())
}
