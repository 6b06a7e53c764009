package import FTPClient
import SystemPackage

/// A request that has been checked: everything that the mounting process needs but the credentials.
package struct MountPlan: Sendable {
    /// What the process was called as.
    package let program: String
    /// Where from.
    package let address: ServerAddress
    /// Where to; an absolute path.
    package let mountPoint: String
    /// What `-o` says.
    package let options: MountOptions
    /// Whether and when TLS begins.
    package let tls: TLSSettings.Mode
    /// The same as text, without what concerns credentials.
    package let optionTexts: [[UInt8]]
    /// Through what the server is reached, with user and password; `nil`: directly.
    package let proxy: Proxy?
    /// Whether every command and reply is logged.
    package let isDebug: Bool

    /// Checks a request: the URL, the options, the mount point; in this order, and without asking the server.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``).
    package init(checking request: MountRequest) throws(MountFailure) {
        program = request.program
        isDebug = request.isDebug
        optionTexts = OptionList.withoutCredentials(request.optionTexts)
        address = try Self.address(request.source)
        options = try Self.options(request.optionTexts, ignoringUnknown: request.ignoresUnknownOptions)
        tls = try Self.tls(address, options)
        proxy = try options.completeProxy()
        let name = program
        let report: (String) -> Void = { text in
            _ = try? FileDescriptor.standardError.writeAll("\(name): \(text)\n".utf8)
        }
        mountPoint = try MountPoint(
            checking: request.mountPoint, acceptsNonEmpty: options.acceptsNonEmpty,
            report: request.isFake ? nil : report
        ).path
    }

    /// Checks a request that is only about the server: there is no mount point.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``).
    init(probing request: MountRequest) throws(MountFailure) {
        program = request.program
        isDebug = request.isDebug
        optionTexts = OptionList.withoutCredentials(request.optionTexts)
        address = try Self.address(request.source)
        options = try Self.options(request.optionTexts, ignoringUnknown: false)
        tls = try Self.tls(address, options)
        proxy = try options.completeProxy()
        mountPoint = ""
    }

    /// The plan that another process has checked and written down.
    init(trusting record: SettingsRecord) throws(MountFailure) {
        program = record.program
        isDebug = record.isDebug
        optionTexts = record.optionTexts
        address = try Self.address(record.source)
        options = try Self.options(record.optionTexts, ignoringUnknown: true)
        tls = try Self.tls(address, options)
        proxy = record.proxy
        mountPoint = record.mountPoint
    }

    /// The server for messages, with its port when it is not the usual one.
    package var place: String {
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        return port == standardPort ? host : "\(host):\(port)"
    }

    /// The port to connect to: the URL's, else that of `port=`, else the usual one.
    package var port: UInt16 { address.port ?? options.port ?? standardPort }

    /// The port of FTP (RFC 959 §8), and that of `ftps` in the IANA registry.
    private var standardPort: UInt16 { tls == .implicit ? 990 : 21 }

    /// What URL and options say of TLS together.
    private static func tls(_ address: ServerAddress, _ options: MountOptions) throws(MountFailure) -> TLSSettings.Mode
    {
        guard let named = address.scheme.tls else { return options.tls.mode ?? .off }
        guard let chosen = options.tls.mode, chosen != named else { return named }
        throw MountFailure(
            .usage,
            "\(address.scheme.rawValue):// stands for tls=\(named.rawValue), which contradicts tls=\(chosen.rawValue)",
            remedy: "write ftp:// with the option, or leave the option out")
    }

    /// Runs a step that has to do with the server; its failure begins with the server's name.
    func naming<Result>(_ step: () throws(MountFailure) -> Result) throws(MountFailure) -> Result {
        do throws(MountFailure) {
            return try step()
        } catch {
            throw error.at(place)
        }
    }

    private static func address(_ source: String) throws(MountFailure) -> ServerAddress {
        do throws(ServerAddress.Invalid) {
            return try ServerAddress(parsing: source)
        } catch {
            throw MountFailure(.usage, error.reason)
        }
    }

    /// What the texts of `-o` mean.
    static func options(
        _ texts: [[UInt8]], ignoringUnknown: Bool
    ) throws(MountFailure) -> MountOptions {
        do throws(MountOptions.Invalid) {
            return try MountOptions(parsing: texts, ignoringUnknown: ignoringUnknown)
        } catch {
            throw MountFailure(.usage, error.reason)
        }
    }
}
