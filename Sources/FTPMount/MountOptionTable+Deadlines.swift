import FTPClient

extension MountOption {
    /// For how long a request goes on; the names and what they mean are those of nfs(5).
    static let deadlines: [MountOption] = [
        MountOption(
            "timeo", value: "TENTHS", allowed: "a whole number of 10 to 36000", standard: "300",
            "the same as `timeout`, in tenths of a second as nfs(5) has it"
        ) { options, text in
            guard let tenths = OptionValue.decimal(text), (10...36_000).contains(tenths) else { return false }
            options.timeout = .milliseconds(tenths * 100)
            return true
        },
        .number(
            "retrans", in: 0...100, standard: "2",
            "how often a request is made again that was cut off or not answered in time, before its program gets an error;"
                + " a server that cannot be reached is waited for as many times `timeout`"
        ) { $0.repeats = $1 },
        .flag("soft", "after `retrans` attempts a program gets an error; the default") { $0.isHard = false },
        .flag(
            "hard",
            "a request goes on until it succeeds, or its program is interrupted by a signal, or the mount ends"
        ) { $0.isHard = true },
    ]
}

extension MountOption {
    /// As whom the mount is served; the name is that of mount.fuse3(8).
    static let privileges: [MountOption] = [
        MountOption(
            "setuid", value: "USER", allowed: "a user of this machine, by name or number", standard: "you",
            "for root: the mount is served by a process of this user, who owns its files and alone may use it (without"
                + " `allow_other`)"
        ) { options, text in
            options.servingUser = Accounts.servingUser(text)
            return options.servingUser != nil
        }
    ]
}

extension MountOptions {
    /// How long requests go on.
    var endurance: Endurance {
        if isHard { return .hard }
        // As long as the attempts of a request take that nobody answers.
        let each = timeout ?? ClientConfiguration.Timeouts().reply
        return Endurance(repeats: repeats, outage: each * repeats)
    }
}
