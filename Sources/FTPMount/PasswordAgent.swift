import FTPClient

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Whoever sits in front of a machine that has no terminal for us: at boot, or at a desktop (systemd-ask-password(1)).
enum PasswordAgent {
    /// Shorter than the 90 s that systemd gives a mount unit.
    static let patience = Duration.seconds(80)
    /// There while systemd runs the machine (sd_booted(3)).
    private static let booted = "/run/systemd/system"
    /// Where the agents look for questions (systemd's documentation, Password Agents).
    private static let directory = "/run/systemd/ask-password"

    /// Asks; `nil` when this was not started by systemd (a script shall hear at once that there is no password), when this
    /// process may not ask, or when nobody answered. Blocks for at most ``patience``.
    static func ask(_ prompt: String) -> Secret? {
        guard getenv("INVOCATION_ID") != nil, access(booted, F_OK) == 0, access(directory, W_OK) == 0 else {
            return nil
        }
        let command = [
            "systemd-ask-password", "--no-tty", "--id=ftpfs", "--timeout=\(patience.components.seconds)", prompt,
        ]
        guard case .line(let password) = HelperProgram.ask(command, within: patience + .seconds(5)) else { return nil }
        return Secret(password)
    }
}
