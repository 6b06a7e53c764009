package import FTPClient
import Vocabulary

/// Who logs in, and with what.
package struct Credentials: Sendable {
    /// The user's name on the server.
    package let user: [UInt8]
    /// The password; may be empty.
    package let password: Secret
    /// What the server's `ACCT` is answered with, where the file with the password says that too.
    package var account: [UInt8]?

    /// Who logs in, and with what.
    package init(user: [UInt8], password: Secret, account: [UInt8]? = nil) {
        self.user = user
        self.password = password
        self.account = account
    }

    /// What a server for everybody wants: an address for a password (RFC 1635), which we do not give away.
    package static let anonymous = Credentials(
        user: Array("anonymous".utf8), password: Secret(Array("ftpfs@localhost".utf8)))

    /// The two names that stand for everybody (RFC 1635).
    static func isAnonymous(_ user: [UInt8]) -> Bool {
        ["anonymous", "ftp"].contains(String(decoding: user, as: UTF8.self).lowercased())
    }
}

/// Finds out who logs in. The first of these that gives a password decides:
///
/// 1. the URL, `ftp://user:password@host/`
/// 2. `-o password=`
/// 3. `-o credentials=FILE`, then `-o password_file=FILE`
/// 4. `-o password_stdin`
/// 5. the environment: `FTPFS_PASSWORD`, `PASSWD`, a descriptor number in `PASSWD_FD`, a file in `PASSWD_FILE` (the last three
///    as mount.cifs)
/// 6. systemd's credentials `ftpfs.credentials` (lines as in 3) and `ftpfs.password`
/// 7. `~/.netrc`, or `-o netrc=FILE`
/// 8. the keyring of the desktop
/// 9. a prompt on the terminal, or, without one and started by systemd, by its password agents
///
/// The user's name is that of the URL, else `-o username=`, else the one beside the password. A password that a file
/// gives for another user is passed over. With no name at all it is ``Credentials/anonymous``.
package struct CredentialSearch {
    /// Where the pieces come from; replaced in tests.
    package struct Surroundings {
        /// The value of an environment variable, which then is gone from the environment.
        package var takeVariable: (String) -> [UInt8]?
        /// The first line behind a descriptor.
        package var readLine: (Int32) -> [UInt8]?
        /// `~/.netrc` if there is a home.
        package var standardNetrc: String?
        /// One of systemd's credentials, by its name.
        package var readCredential: (String) -> [UInt8]? = { _ in nil }
        /// Asks the keyring: host, port, user.
        package var askKeyring: (String, UInt16?, [UInt8]) -> Secret? = { _, _, _ in nil }
        /// Asks a person; `nil` when there is none.
        package var ask: (String) throws(MountFailure) -> Secret?
        /// Tells a person something that is not an error.
        package var warn: (String) -> Void

        package init(
            takeVariable: @escaping (String) -> [UInt8]?, readLine: @escaping (Int32) -> [UInt8]?,
            standardNetrc: String?, ask: @escaping (String) throws(MountFailure) -> Secret?,
            warn: @escaping (String) -> Void
        ) {
            self.takeVariable = takeVariable
            self.readLine = readLine
            self.standardNetrc = standardNetrc
            self.ask = ask
            self.warn = warn
        }
    }

    private let host: String
    private let port: UInt16?
    private let options: CredentialOptions
    private let surroundings: Surroundings
    private var user: [UInt8]?
    private let urlPassword: Secret?

    /// A search for what a mount needs.
    package init(address: ServerAddress, options: CredentialOptions, surroundings: Surroundings) {
        host = address.host
        port = address.port
        user = address.user ?? options.user
        urlPassword = address.password
        self.options = options
        self.surroundings = surroundings
    }

    /// Looks in every place in turn. Blocks while it reads files or waits for a person.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``) when a named source cannot be used, and when there is a user
    ///   but no password and nobody to ask.
    package mutating func run() throws(MountFailure) -> Credentials {
        // Read in any case, so that no password stays in the environment of a process that lives for weeks.
        let variables = takeVariables()
        if let password = urlPassword ?? options.password { return try known(password) }
        if let found = try fromFile() { return found }
        if let path = options.passwordFile { return try known(try password(inFile: path)) }
        if options.readsStandardInput {
            guard let line = surroundings.readLine(0) else {
                throw MountFailure(.usage, "password_stdin: there is no line on standard input")
            }
            return try known(Secret(line))
        }
        if let user {
            if let password = variables.password { return Credentials(user: user, password: password) }
            if let file = variables.file { return try known(try password(inFile: file)) }
        }
        if let found = try fromSystemd() { return found }
        if let found = try fromNetrc() { return found }
        guard let user, !Credentials.isAnonymous(user) else {
            return user.map { Credentials(user: $0, password: Credentials.anonymous.password) } ?? .anonymous
        }
        if options.asksKeyring, let password = surroundings.askKeyring(host, port, user) {
            return Credentials(user: user, password: password)
        }
        if let password = try surroundings.ask("Password for \(printable(user)) at \(host): ") {
            return Credentials(user: user, password: password)
        }
        throw MountFailure(
            .usage, "no password for the user \(printable(user))",
            remedy: "give -o credentials=FILE, or put it into ~/.netrc, or run it on a terminal")
    }

    private func known(_ password: Secret) throws(MountFailure) -> Credentials {
        guard let user else {
            throw MountFailure(.usage, "a password, but no user name", remedy: "give -o username=NAME")
        }
        return Credentials(user: user, password: password)
    }

    private func takeVariables() -> (password: Secret?, file: String?) {
        let direct = ["FTPFS_PASSWORD", "PASSWD"].map(surroundings.takeVariable)
        let descriptor = surroundings.takeVariable("PASSWD_FD").flatMap(OptionValue.decimal)
        let file = surroundings.takeVariable("PASSWD_FILE").flatMap { String(validating: $0, as: UTF8.self) }
        if let password = direct.compactMap(\.self).first { return (Secret(password), nil) }
        let line = descriptor.flatMap { Int32(exactly: $0) }.flatMap(surroundings.readLine)
        return (line.map { Secret($0) }, file)
    }

    /// The first line of a file.
    private func password(inFile path: String) throws(MountFailure) -> Secret {
        do throws(PrivateFile.Refused) {
            return Secret(Self.firstLine(try PrivateFile.read(path)))
        } catch {
            throw MountFailure(.usage, "password file \(path) \(error.sentence)")
        }
    }

    private static func firstLine(_ content: [UInt8]) -> [UInt8] {
        var line = content.prefix { $0 != UInt8(ascii: "\n") }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return Array(line)
    }

    private mutating func fromSystemd() throws(MountFailure) -> Credentials? {
        if let content = surroundings.readCredential("ftpfs.credentials") {
            let entry = try CredentialsFile.parse(content, path: "ftpfs.credentials of systemd")
            if let found = match(entry.user, entry.password, entry.account) { return found }
        }
        let name = surroundings.readCredential("ftpfs.username").map(Self.firstLine)
        return match(name, surroundings.readCredential("ftpfs.password").map { Secret(Self.firstLine($0)) }, nil)
    }

    private mutating func fromFile() throws(MountFailure) -> Credentials? {
        guard let path = options.file else { return nil }
        let content: [UInt8]
        do throws(PrivateFile.Refused) {
            content = try PrivateFile.read(path)
        } catch {
            throw MountFailure(.usage, "credentials file \(path) \(error.sentence)")
        }
        let entry = try CredentialsFile.parse(content, path: path)
        return match(entry.user, entry.password, entry.account)
    }

    private mutating func fromNetrc() throws(MountFailure) -> Credentials? {
        guard let path = netrcPath else { return nil }
        do throws(PrivateFile.Refused) {
            guard let entry = Netrc.entry(forHost: host, user: user, in: try PrivateFile.read(path)) else { return nil }
            return match(entry.user, entry.password, entry.account)
        } catch {
            if case .file = options.netrc { throw MountFailure(.usage, "netrc file \(path) \(error.sentence)") }
            if error != .missing { surroundings.warn("\(path) is not used: it \(error.sentence)") }
            return nil
        }
    }

    private var netrcPath: String? {
        switch options.netrc {
        case .standard: surroundings.standardNetrc
        case .file(let path): path
        case .none: nil
        }
    }

    /// Takes what a file says, unless it is for somebody else. A name without a password is remembered.
    private mutating func match(_ name: [UInt8]?, _ password: Secret?, _ account: [UInt8]?) -> Credentials? {
        if let name, let user, name != user { return nil }
        user = user ?? name
        guard let user, let password else { return nil }
        return Credentials(user: user, password: password, account: account)
    }
}
