/// Every command the server knows: what has to be given before its handler is asked, and the handler.
struct CommandRow: Sendable {
    /// What a handler can rely on.
    struct Guards: OptionSet, Sendable {
        let rawValue: UInt8

        /// The user is logged in, else 530.
        static let login = Guards(rawValue: 1 << 0)
        /// There is an argument, and it is not empty, else 501.
        static let argument = Guards(rawValue: 1 << 1)
        /// The server may be changed, else 550.
        static let writable = Guards(rawValue: 1 << 2)
        /// A data connection was announced, else 425.
        static let data = Guards(rawValue: 1 << 3)
        /// The server speaks TLS, else the command is unknown.
        static let security = Guards(rawValue: 1 << 4)
    }

    typealias Handler = @Sendable (Session, [UInt8]) throws(SessionEnd) -> Answer

    let guards: Guards
    let handler: Handler

    init(_ guards: Guards, _ handler: @escaping Handler) {
        self.guards = guards
        self.handler = handler
    }

    /// RFC 959 §4.1, RFC 4217 (AUTH, PBSZ, PROT), RFC 2389 §3 (FEAT, OPTS), RFC 2428 (EPRT, EPSV), RFC 3659 (MDTM, SIZE, MLST, MLSD), RFC 1123
    /// §4.1.3.1 (the verbs with X), and drafts: MFMT (draft-somers-ftp-mfxx), RANG (draft-bryan-ftp-range).
    static let all: [String: CommandRow] = [
        "USER": CommandRow([.argument], AccessCommands.user),
        "PASS": CommandRow([], AccessCommands.pass),
        "ACCT": CommandRow([.login], AccessCommands.acct),
        "QUIT": CommandRow([], AccessCommands.quit),
        "SYST": CommandRow([.login], AccessCommands.syst),
        "NOOP": CommandRow([.login], AccessCommands.noop),
        "HELP": CommandRow([.login], AccessCommands.help),
        "STAT": CommandRow([.login], AccessCommands.stat),
        "FEAT": CommandRow([], AccessCommands.feat),
        "OPTS": CommandRow([.argument], AccessCommands.opts),
        "CLNT": CommandRow([], AccessCommands.clnt),
        "ALLO": CommandRow([.login], AccessCommands.allo),

        "AUTH": CommandRow([.security, .argument], SecurityCommands.auth),
        "PBSZ": CommandRow([.security, .argument], SecurityCommands.pbsz),
        "PROT": CommandRow([.security, .argument], SecurityCommands.prot),

        "TYPE": CommandRow([.login, .argument], ParameterCommands.type),
        "MODE": CommandRow([.login, .argument], ParameterCommands.mode),
        "STRU": CommandRow([.login, .argument], ParameterCommands.stru),
        "REST": CommandRow([.login, .argument], ParameterCommands.rest),
        "RANG": CommandRow([.login, .argument], ParameterCommands.rang),
        "PASV": CommandRow([.login], ParameterCommands.pasv),
        "EPSV": CommandRow([.login], ParameterCommands.epsv),
        "PRET": CommandRow([.login, .argument], DataFaults.pret),
        "PORT": CommandRow([.login, .argument], ParameterCommands.port),
        "EPRT": CommandRow([.login, .argument], ParameterCommands.eprt),

        "CWD": CommandRow([.login, .argument], NameCommands.cwd),
        "XCWD": CommandRow([.login, .argument], NameCommands.cwd),
        "CDUP": CommandRow([.login], NameCommands.cdup),
        "XCUP": CommandRow([.login], NameCommands.cdup),
        "PWD": CommandRow([.login], NameCommands.pwd),
        "XPWD": CommandRow([.login], NameCommands.pwd),
        "MKD": CommandRow([.login, .argument, .writable], NameCommands.mkd),
        "XMKD": CommandRow([.login, .argument, .writable], NameCommands.mkd),
        "RMD": CommandRow([.login, .argument, .writable], NameCommands.rmd),
        "XRMD": CommandRow([.login, .argument, .writable], NameCommands.rmd),
        "DELE": CommandRow([.login, .argument, .writable], NameCommands.dele),
        "RNFR": CommandRow([.login, .argument, .writable], NameCommands.rnfr),
        "RNTO": CommandRow([.login, .argument, .writable], NameCommands.rnto),

        "SIZE": CommandRow([.login, .argument], FactCommands.size),
        "MDTM": CommandRow([.login, .argument], FactCommands.mdtm),
        "MFMT": CommandRow([.login, .argument, .writable], FactCommands.mfmt),
        "MLST": CommandRow([.login], FactCommands.mlst),
        "SITE": CommandRow([.login], FactCommands.site),

        "LIST": CommandRow([.login, .data], ListCommands.list),
        "NLST": CommandRow([.login, .data], ListCommands.nlst),
        "MLSD": CommandRow([.login, .data], ListCommands.mlsd),

        "RETR": CommandRow([.login, .argument, .data], TransferCommands.retr),
        "STOR": CommandRow([.login, .argument, .writable, .data], TransferCommands.stor),
        "APPE": CommandRow([.login, .argument, .writable, .data], TransferCommands.appe),
        "ABOR": CommandRow([.login], TransferCommands.abor),
    ]
}

extension Session {
    /// Finds the handler of a command, checks what it relies on, and asks it.
    func dispatch(_ command: ControlConnection.Command) throws(SessionEnd) -> Answer {
        if command.isTooLong { return answer(.lineTooLong) }
        // Any command but these two, between which some servers allow NOOP, ends a rename that has begun.
        if command.verb != "RNTO" && command.verb != "NOOP" { renameFrom = nil }
        let argument = command.argument ?? []
        guard !dialect.lacks.contains(command.verb), let row = CommandRow.all[command.verb],
            core.tls != nil || !row.guards.contains(.security)
        else {
            let verb = Array(command.verb.utf8)
            return answer(isLoggedIn ? .unknownCommand : .unknownBeforeLogin, ["argument": verb])
        }
        if row.guards.contains(.login) && !isLoggedIn { return answer(.notLoggedIn) }
        if row.guards.contains(.argument) && argument.isEmpty {
            return answer(.missingArgument, ["argument": Array(command.verb.utf8)])
        }
        if row.guards.contains(.writable) && core.configuration.isReadOnly { return answer(.readOnly) }
        if row.guards.contains(.data) {
            if core.tls?.policy.requiresTLSForData == true && !isDataPrivate { return answer(.dataNeedsSecurity) }
            if !data.isSet { return answer(.noDataConnection) }
            if let refusal = DataFaults.refusal(self, of: command.verb) { return refusal }
        }
        return try row.handler(self, argument)
    }
}
