#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The proxy of `scripts/testservers/proxy.py`, in a process of its own; ended when the value goes.
package final class TestProxy: Sendable {
    /// What it speaks.
    package enum Kind: String, CaseIterable, Hashable, Sendable {
        case http
        case socks5
    }

    package let kind: Kind
    /// Where it listens, on 127.0.0.1.
    package let port: UInt16
    private let process: ChildProcess
    private let directory: TemporaryDirectory

    /// Starts a proxy and waits until it listens.
    ///
    /// - Parameters:
    ///   - login: `USER:PASSWORD` that it wants.
    ///   - names: what it knows names for, as `NAME=ADDRESS`.
    ///   - fault: what it answers instead of connecting; the names are in the script.
    ///   - chaos: connections break at random while there is a file of this name.
    ///   - seed: of `chaos`.
    ///   - forget: the connections that there are when a file of this name comes into being are silent from then on.
    ///   - firstPort: the port of a server that speaks first: what that says leaves together with the proxy's last word.
    package init(
        _ kind: Kind, login: String? = nil, names: [String] = [], fault: String? = nil, chaos: String? = nil,
        seed: UInt32 = 0, forget: String? = nil, firstPort: UInt16? = nil
    ) throws {
        self.kind = kind
        directory = try TemporaryDirectory("proxy")
        var arguments = ["python3", "-B", Repository.script("testservers/proxy.py"), kind.rawValue]
        if let login { arguments += ["--login", login] }
        for name in names { arguments += ["--map", name] }
        if let fault { arguments += ["--fault", fault] }
        if let chaos { arguments += ["--chaos", chaos, "--seed", String(seed), "--rate", "0.03"] }
        if let forget { arguments += ["--forget", forget] }
        if let firstPort { arguments += ["--first-port", String(firstPort)] }
        let output = directory.path("output")
        let process = try ChildProcess(arguments, output: output, errors: directory.path("errors"))
        self.process = process
        _ = waitUntil(within: .seconds(20)) { Files.text(output).contains("\n") || process.poll() != nil }
        guard let port = Files.text(output).split(separator: "\n").first.flatMap({ UInt16($0) }) else {
            process.kill()
            throw TestFailure("the proxy did not start: \(Files.text(directory.path("errors")))")
        }
        self.port = port
    }

    deinit {
        process.kill()
    }

    /// The connections that it was asked for, each as `HOST PORT`.
    package var connections: [String] {
        Files.text(directory.path("output")).split(separator: "\n").dropFirst().map(String.init)
    }
}
