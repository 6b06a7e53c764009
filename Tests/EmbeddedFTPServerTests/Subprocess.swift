@preconcurrency import Glibc

/// Runs a program to its end and returns what it wrote to its standard output and error.
///
/// - Parameter arguments: the program, searched in PATH, and its arguments.
func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw RawClient.Failure(what: "pipe") }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)

    var strings = arguments.map { strdup($0) }
    defer { for string in strings { free(string) } }
    strings.append(nil)
    var process = pid_t()
    let code = posix_spawnp(&process, arguments[0], &actions, nil, strings, environ)
    close(ends[1])
    guard code == 0 else { throw RawClient.Failure(what: "posix_spawnp \(arguments[0]): \(code)") }

    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(ends[0], &buffer, buffer.count)
        if count <= 0 { break }
        output += buffer[..<count]
    }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return (status, String(decoding: output, as: UTF8.self))
}

/// Whether a program is installed; what needs it is skipped, visibly, where it is not.
func isInstalled(_ program: String) -> Bool {
    (try? run(["sh", "-c", "command -v \(program)"]))?.status == 0
}

/// Runs `body` with the path of a new directory, and removes it whatever happens.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/ftpfs-server-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RawClient.Failure(what: "mkdtemp") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { _ = try? run(["rm", "-rf", path]) }
    return try body(path)
}

/// Writes a file.
func write(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw RawClient.Failure(what: "open \(path): \(errno)") }
    defer { close(file) }
    guard write(file, bytes, bytes.count) == bytes.count else { throw RawClient.Failure(what: "write: \(errno)") }
}
