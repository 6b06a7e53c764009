import FTPClient

extension MountOption {
    /// How connections are made. The names are those of curlftpfs and curl where these have one.
    static let network: [MountOption] = [
        MountOption(
            "data", value: "MODE", allowed: "passive, active or auto", standard: "auto",
            "who makes data connections: `passive` we, `active` the server, `auto` we, and where that fails the server"
        ) { options, text in
            let modes: [String: NetworkSettings.DataMode] = [
                "passive": .passive, "active": .active, "auto": .automatic,
            ]
            guard let mode = modes[String(decoding: text, as: UTF8.self)] else { return false }
            options.network.dataMode = mode
            return true
        },
        .flag("active", "the same as `data=active`") { $0.network.dataMode = .active },
        MountOption(
            "active_address", value: "ADDRESS", allowed: "an IPv4 or IPv6 address in figures",
            standard: "the local address",
            "where the server is told to connect to in active mode, if it sees another one"
        ) { options, text in
            options.network.activeAddress = HostAddress(String(decoding: text, as: UTF8.self))
            return options.network.activeAddress != nil
        },
        MountOption(
            "active_ports", value: "LOW-HIGH", allowed: "two ports of 1024 to 65535, the smaller one first",
            standard: "any free one", "at which ports the server is awaited in active mode"
        ) { options, text in
            options.network.activePorts = portRange(text)
            return options.network.activePorts != nil
        },
        MountOption(
            "pasv_address", value: "WHOSE", allowed: "control or server", standard: "control",
            "where passive data connections go: to the address of the `control` connection, or to that in the `server`'s"
                + " answer to PASV, if it makes sense"
        ) { options, text in
            let hosts: [String: NetworkSettings.PassiveHost] = ["control": .control, "server": .server]
            guard let host = hosts[String(decoding: text, as: UTF8.self)] else { return false }
            options.network.passiveHost = host
            return true
        },
        .flag("disable_epsv", "never use EPSV, only PASV") { $0.network.usesExtendedPassive = false },
        .flag("disable_eprt", "never use EPRT, only PORT") { $0.network.usesExtendedActive = false },
        .flag("ipv4", "use IPv4 only") { $0.network.family = .ipv4 },
        .flag("ipv6", "use IPv6 only") { $0.network.family = .ipv6 },
        MountOption(
            "proxy", value: "URL",
            allowed:
                "[http://][USER:PASSWORD@]HOST:PORT or socks5://[USER:PASSWORD@]HOST[:PORT], / : @ % in user and password"
                + " written as %2F %3A %40 %25",
            isCredential: true, isSecret: true,
            "make all connections through an HTTP proxy (CONNECT) or a SOCKS 5 proxy, which looks up the server's name"
        ) { options, text in
            options.network.proxy = Proxy(parsing: text)
            options.curlProxy.isBare = Proxy.isBare(text)
            return options.network.proxy != nil
        },
        MountOption(
            "socks5", isCredential: true, "curlftpfs's word: `proxy=HOST:PORT` is a SOCKS 5 proxy"
        ) { options, _ in
            options.curlProxy.isSOCKS = true
            return true
        },
        MountOption(
            "proxy_user", value: "USER:PASSWORD", allowed: "USER:PASSWORD, / : @ % in them written as %2F %3A %40 %25",
            isCredential: true, isSecret: true, "user and password for the proxy, as curlftpfs has it; better in a file"
        ) { options, text in
            let parts = text.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            let words = parts.compactMap { percentDecoded($0) }
            guard words.count == parts.count, let user = words.first, !user.isEmpty else { return false }
            options.curlProxy.user = user
            options.curlProxy.password = Secret(words.count == 2 ? words[1] : [])
            return true
        },
        .path(
            "proxy_credentials", "FILE", standard: "", isCredential: true,
            "user and password for the proxy, in a file like that of `credentials=`"
        ) { $0.proxyCredentials = $1 },
    ]

    private static func portRange(_ text: [UInt8]) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            .map { OptionValue.decimal(Array($0)).flatMap { UInt16(exactly: $0) } }
        guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 1024, low <= high else { return nil }
        return low...high
    }
}

extension MountOptions {
    /// What curlftpfs says of a proxy by words of their own.
    package struct CurlProxy: Sendable {
        /// `proxy=` says nothing of its kind.
        var isBare = false
        /// Then it is a SOCKS 5 proxy.
        var isSOCKS = false
        var user: [UInt8]?
        var password: Secret?
    }

    /// The proxy with what other options and its credentials file say.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``) when the file cannot be used, and for options that contradict the
    ///   proxy.
    func completeProxy() throws(MountFailure) -> Proxy? {
        guard var proxy = network.proxy else {
            let given = [
                ("proxy_credentials=", proxyCredentials != nil), ("proxy_user=", curlProxy.user != nil),
                ("socks5", curlProxy.isSOCKS),
            ]
            guard let option = given.first(where: \.1)?.0 else { return nil }
            throw MountFailure(.usage, "\(option) without a proxy", remedy: "give proxy= too")
        }
        if curlProxy.isBare, curlProxy.isSOCKS { proxy.kind = .socks5 }
        proxy.user = curlProxy.user ?? proxy.user
        proxy.password = curlProxy.password ?? proxy.password
        guard network.dataMode != .active else {
            throw MountFailure(
                .usage, "active mode does not work through a proxy: the server could not reach this machine",
                remedy: "leave out data=active, or proxy=")
        }
        guard let path = proxyCredentials else { return proxy }
        let content: [UInt8]
        do throws(PrivateFile.Refused) {
            content = try PrivateFile.read(path)
        } catch {
            throw MountFailure(.usage, "credentials file \(path) \(error.sentence)")
        }
        let entry = try CredentialsFile.parse(content, path: path)
        proxy.user = entry.user ?? proxy.user
        proxy.password = entry.password ?? proxy.password
        return proxy
    }
}
