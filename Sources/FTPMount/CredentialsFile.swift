import FTPClient

/// The file behind `-o credentials=`, in the form of mount.cifs(8): lines `username=NAME` and `password=PASSWORD`, and of
/// our own `account=NAME`.
///
/// A value is everything behind the first `=` to the end of the line, also blanks, commas and quotes. Blanks before
/// the key, empty lines and lines that begin with `#` are skipped; `domain=` is taken and means nothing here.
enum CredentialsFile {
    /// What a file says.
    struct Entry {
        var user: [UInt8]?
        var password: Secret?
        var account: [UInt8]?
    }

    /// Reads the lines.
    ///
    /// - Throws: ``MountFailure`` with the number of a line that is none of these; never with its content.
    static func parse(_ content: [UInt8], path: String) throws(MountFailure) -> Entry {
        var entry = Entry()
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            var line = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let equals = line.firstIndex(of: UInt8(ascii: "=")) ?? line.endIndex
            let value = Array(line[equals...].dropFirst())
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "username", "user": entry.user = value
            case "password", "pass": entry.password = Secret(value)
            case "account": entry.account = value
            case "domain", "dom", "workgroup": continue
            default:
                throw MountFailure(
                    .usage, "credentials file \(path): line \(number + 1) is not username=NAME or password=PASSWORD")
            }
        }
        return entry
    }
}
