import FTPClient
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The keyring of the desktop (freedesktop.org's Secret Service), asked through `secret-tool`.
///
/// The attributes are those under which GNOME's and KDE's file managers keep the password of an FTP server: `protocol`,
/// `server`, `user`, and `port` where it is not the usual one. `secret-tool store --label=… protocol ftp server HOST user NAME`
/// puts one in.
enum Keyring {
    /// A locked keyring asks its owner, who may take a moment; but a mount must not wait for ever for nobody.
    static let patience = Duration.seconds(60)

    /// The password for a user of a server; `nil` when there is no session with a keyring, no `secret-tool`, or nothing in
    /// it. Blocks for at most ``patience``.
    static func password(host: String, port: UInt16?, user: [UInt8], patience: Duration = patience) -> Secret? {
        // Without a bus of the session there is nobody to ask: not at boot, and not for root.
        guard getenv("DBUS_SESSION_BUS_ADDRESS") != nil, let user = String(validating: user, as: UTF8.self) else {
            return nil
        }
        var attributes = ["protocol", "ftp", "server", host, "user", user]
        if let port { attributes += ["port", "\(port)"] }
        guard case .line(let password) = HelperProgram.ask(["secret-tool", "lookup"] + attributes, within: patience)
        else {
            return nil
        }
        return Secret(password)
    }
}
