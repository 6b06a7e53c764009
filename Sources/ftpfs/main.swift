import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

// First of all, while `ps` can still see them, and while this is the only thread.
let arguments = ProcessSecrets.takeArguments()
exit(CommandForm.run(arguments).rawValue)
