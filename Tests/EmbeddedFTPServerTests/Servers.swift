import Testing
import Threading
import Vocabulary

@testable import EmbeddedFTPServer

/// The suites that run servers: one after the other, because they wait for sockets on the threads of the test runner.
@Suite(.serialized, .timeLimit(.minutes(3))) enum Servers {}

/// Runs `body` with a server over a tree, and stops it whatever happens.
func withServer<Result>(
    _ tree: MemoryTree = MemoryTree(), _ dialect: Dialect = .vsftpd, _ faults: FaultPlan.Rule...,
    change: (inout EmbeddedFTPServer.Configuration) -> Void = { _ in },
    _ body: (EmbeddedFTPServer) throws -> Result
) throws -> Result {
    var configuration = EmbeddedFTPServer.Configuration(
        storage: .memory(tree), dialect: dialect, faults: FaultPlan(faults))
    change(&configuration)
    let server = try EmbeddedFTPServer(configuration)
    defer { server.stop() }
    try server.start()
    return try body(server)
}

/// Runs `body` with a server and a client that has logged in to it in binary mode.
func withSession<Result>(
    _ tree: MemoryTree = MemoryTree(), _ dialect: Dialect = .vsftpd, _ faults: FaultPlan.Rule...,
    change: (inout EmbeddedFTPServer.Configuration) -> Void = { _ in },
    _ body: (EmbeddedFTPServer, RawClient) throws -> Result
) throws -> Result {
    var configuration = EmbeddedFTPServer.Configuration(
        storage: .memory(tree), dialect: dialect, faults: FaultPlan(faults))
    change(&configuration)
    let server = try EmbeddedFTPServer(configuration)
    defer { server.stop() }
    try server.start()
    return try body(server, RawClient(server, logsIn: true))
}

/// A tree with a bit of everything.
func sampleTree() -> MemoryTree {
    let tree = MemoryTree()
    tree.add("a.txt", text: "hello\n", modified: Timestamp(seconds: 1_577_934_245))
    tree.add("with space.txt", text: "hi\n", modified: Timestamp(seconds: 981_173_106), mode: 0o600)
    tree.addDirectory("dir/sub")
    tree.addDirectory("empty")
    tree.addLink("link", target: "a.txt")
    tree.addLink("dlink", target: "dir")
    tree.add(".hidden", text: "h")
    return tree
}

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
