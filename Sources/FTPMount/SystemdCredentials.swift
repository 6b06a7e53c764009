#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Passwords that systemd hands to a service or a mount (systemd.exec(5), `LoadCredential=`, `SetCredential=`).
enum SystemdCredentials {
    /// What a file there may hold; more is no password.
    private static let largest = 64 << 10

    /// The content of a credential; `nil` when there is none of that name.
    ///
    /// The directory is made for this process alone, so its permission bits say nothing: an ACL may widen the mask.
    static func read(_ name: String) -> [UInt8]? {
        guard let directory = getenv("CREDENTIALS_DIRECTORY") else { return nil }
        let path = String(cString: directory) + "/" + name
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content = [UInt8](repeating: 0, count: largest)
        let count = Glibc.read(file, &content, content.count)
        return count > 0 ? Array(content[..<count]) : nil
    }
}
