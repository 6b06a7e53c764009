/// What the command line asked for, whichever of its two forms it had; nothing is checked yet.
package struct MountRequest: Sendable {
    /// What the process was called as; begins its messages.
    package var program: String
    /// The URL.
    package var source: String
    /// Where to mount.
    package var mountPoint: String
    /// The texts of all `-o`, in order.
    package var optionTexts: [[UInt8]]
    /// `-f`: stay in the foreground and log to standard error.
    package var isForeground = false
    /// `-d`: the same, and log every command and reply.
    package var isDebug = false
    /// `-s`: unknown options are dropped.
    package var ignoresUnknownOptions = false
    /// mount(8)'s `-f`: check everything, ask for nothing, mount nothing.
    package var isFake = false
    /// `-v`: say what is mounted where.
    package var isVerbose = false

    /// A request with nothing but the necessary.
    package init(program: String, source: String, mountPoint: String, optionTexts: [[UInt8]] = []) {
        self.program = program
        self.source = source
        self.mountPoint = mountPoint
        self.optionTexts = optionTexts
    }
}
