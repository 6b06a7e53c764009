package import FTPClient

/// What `-o` says about TLS. What FTPClient takes differs: files are opened when the mounting process connects.
package struct MountTLSOptions: Hashable, Sendable {
    /// `nil`: what the URL says.
    package var mode: TLSSettings.Mode?
    /// An absolute path, like the others: the mounting process leaves its directory.
    package var authorities: String?
    package var pin: CertificatePin?
    package var verifies = true
    package var certificate: String?
    package var key: String?
    package var minimum = TLSSettings.Version.tls12
    package var protectsData = true

    /// Nothing said.
    package init() {}
}

extension MountOption {
    /// The options of TLS, and curlftpfs's words for them.
    static let security: [MountOption] = [
        .choice(
            "tls",
            [("off", .off), ("auto", .auto), ("explicit", .explicit), ("implicit", .implicit)]
                as [(String, TLSSettings.Mode)],
            standard: "`ftp://` off, `ftpes://` explicit, `ftps://` implicit",
            "encryption: `off`; `explicit` by `AUTH TLS`, or no mount; `auto` likewise, but in the clear where the server"
                + " offers none; `implicit` from the first byte, at port 990"
        ) { $0.tls.mode = $1 },
        .path(
            "tls_ca", "FILE|DIRECTORY", aliases: ["cacert", "capath"], standard: "whom the machine trusts",
            "certificates (PEM) of those who may vouch for the server"
        ) { $0.tls.authorities = MountPoint.absolute($1) },
        MountOption(
            "tls_pin", value: "sha256:HASH",
            allowed: "sha256: and the hash value of the server's public key, in hexadecimal or Base64",
            "trust this key alone, whoever signed its certificate, for which name and until when; the error for an"
                + " untrusted certificate shows the value. With `tls_ca` both must hold"
        ) { options, text in
            options.tls.pin = CertificatePin(parsing: text)
            return options.tls.pin != nil
        },
        .choice(
            "tls_verify", [("yes", true), ("no", false)], standard: "yes",
            "`no`: take any certificate; somebody in between can then read and change everything"
        ) { $0.tls.verifies = $1 },
        .path(
            "tls_cert", "FILE", aliases: ["cert"], standard: "",
            "this side's certificate (PEM), for servers that want one"
        ) { $0.tls.certificate = MountPoint.absolute($1) },
        .path(
            "tls_key", "FILE", aliases: ["key"], standard: "in the file of `tls_cert`",
            "its key (PEM, without a password), readable only by its owner"
        ) { $0.tls.key = MountPoint.absolute($1) },
        .choice("tls_min", [("1.2", .tls12), ("1.3", .tls13)], standard: "1.2", "the lowest version of TLS to use") {
            $0.tls.minimum = $1
        },
        .choice(
            "tls_data", [("private", true), ("clear", false)], standard: "private",
            "`clear`: files and listings are not encrypted, only commands, if the server allows it"
        ) { $0.tls.protectsData = $1 },
        .flag("ssl", "curlftpfs's word for `tls=explicit`") { $0.tls.mode = .explicit },
        .flag("ssl_try", "curlftpfs's word for `tls=auto`") { $0.tls.mode = .auto },
        .flag("ssl_control", "curlftpfs's word for `tls=explicit,tls_data=clear`") {
            $0.tls.mode = .explicit
            $0.tls.protectsData = false
        },
        .flag("no_verify_peer", "curlftpfs's word for `tls_verify=no`") { $0.tls.verifies = false },
    ]

    /// An option that takes one of a few words.
    static func choice<Value: Sendable>(
        _ name: String, _ values: [(word: String, value: Value)], standard: String, isCredential: Bool = false,
        _ help: String, apply: @escaping @Sendable (inout MountOptions, Value) -> Void
    ) -> MountOption {
        let words = values.map(\.word)
        return MountOption(
            name, value: words.joined(separator: "|"), allowed: "one of " + words.joined(separator: ", "),
            standard: standard, isCredential: isCredential, help
        ) { options, text in
            guard let chosen = values.first(where: { Array($0.word.utf8) == text }) else { return false }
            apply(&options, chosen.value)
            return true
        }
    }
}

extension TLSSettings {
    /// The settings for a mode; reads the file of the key.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``) when the key may not be used.
    init(_ options: MountTLSOptions, mode: Mode) throws(MountFailure) {
        self.init()
        self.mode = mode
        authorities = options.authorities
        pin = options.pin
        verifies = options.verifies
        certificate = options.certificate
        minimum = options.minimum
        protectsData = options.protectsData
        guard mode != .off else { return }
        guard let path = options.key ?? options.certificate else { return }
        guard options.certificate != nil else {
            throw MountFailure(.usage, "tls_key= needs tls_cert=, the certificate that it belongs to")
        }
        do throws(PrivateFile.Refused) {
            key = Secret(try PrivateFile.read(path))
        } catch {
            throw MountFailure(.usage, "the file \(path) of the TLS key \(error.sentence)")
        }
    }
}
