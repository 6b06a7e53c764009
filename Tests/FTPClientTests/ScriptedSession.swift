import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Scripts that more than one suite needs, and sessions with a ``ScriptedServer``.
enum Scripted {
    /// A login of a server that nothing is known of, up to the point where nothing more is asked.
    static let login: [ScriptedServer.Step] = [
        .send(["220 Hello"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
        .send(["230 Welcome"]), .expect("FEAT"), .send(["500 What?"]),
    ]
    /// What comes before the first transfer of a file.
    static let binary: [ScriptedServer.Step] = [
        .expect("TYPE I"), .send(["200 Binary"]), .expect("PWD"), .send(["257 \"/\""]),
    ]

    /// A session with a server.
    static func session(
        _ server: ScriptedServer, _ network: NetworkSettings = .init(), armsFrom: Duration = Session.worthwhile,
        _ change: (inout ClientConfiguration.Timeouts) -> Void = { _ in }
    ) throws(FTPError) -> Session {
        var timeouts = ClientConfiguration.Timeouts()
        change(&timeouts)
        var configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"),
            timeouts: timeouts)
        configuration.network = network
        configuration.armsFrom = armsFrom
        return try Session.establish(SharedServer(configuration), id: 1, Cancellation())
    }

    /// Reads a file to its end and waits for the confirmation.
    static func read(
        _ session: Session, _ name: String = "f", at offset: Int64 = 0, size: Int64? = nil
    ) throws -> String {
        let cancellation = Cancellation()
        let transfer = try session.openRead(try remote(name), at: offset, size: size, cancellation)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 1)
        defer { buffer.deallocate() }
        var bytes: [UInt8] = []
        while case let count = try transfer.read(into: buffer, cancellation), count > 0 { bytes += buffer[..<count] }
        try transfer.finish(cancellation)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The settings with a change.
    static func network(_ change: (inout NetworkSettings) -> Void) -> NetworkSettings {
        var network = NetworkSettings()
        change(&network)
        return network
    }
}
