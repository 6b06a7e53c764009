import SystemPackage

extension CredentialSearch.Surroundings {
    /// The environment, standard input, home and terminal of this process.
    static func ofThisProcess(program: String) -> Self {
        var surroundings = Self(
            takeVariable: ProcessSecrets.takeVariable,
            readLine: { FileDescriptor(rawValue: $0).readLine() },
            standardNetrc: Accounts.homeDirectory().map { $0 + "/.netrc" },
            ask: { prompt throws(MountFailure) in try Terminal.ask(prompt) ?? PasswordAgent.ask(prompt) },
            warn: { text in
                _ = try? FileDescriptor.standardError.writeAll("\(program): warning: \(text)\n".utf8)
            })
        surroundings.readCredential = SystemdCredentials.read
        surroundings.askKeyring = { Keyring.password(host: $0, port: $1, user: $2) }
        return surroundings
    }
}

extension FileDescriptor {
    /// The bytes up to the first line end, or to the end; `nil` when there are none. Reads one byte at a time: what is
    /// behind the line belongs to somebody else.
    fileprivate func readLine() -> [UInt8]? {
        // Longer than what any server takes as a password.
        let limit = 4096
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < limit {
            let count = (try? withUnsafeMutableBytes(of: &byte) { try read(into: $0) }) ?? 0
            if count == 0 { return line.isEmpty ? nil : line }
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }
}
