import FTPProtocol
import Glibc

/// The targets of the fuzzer, by the name that `scripts/fuzz` knows them by.
///
/// One program holds all of them; the environment variable `FTPFS_FUZZ_TARGET` says which one runs. Each takes any bytes
/// and traps when one of the promises of the parser behind it is broken: not only crashes count. Inputs are bytes as they
/// come over the wire, without anything in front, so that every file of a corpus can be read, and made, by hand. Where
/// a target needs a choice (how to cut the bytes into pieces) it makes it from the bytes themselves.
private let targets: [String: @Sendable ([UInt8]) -> Void] = {
    var targets = parsers
    for format in TextFormat.allCases { targets["text-\(format)"] = { fuzzFormat(format, $0) } }
    return targets
}()

private let parsers: [String: @Sendable ([UInt8]) -> Void] = [
    "replies": fuzzReplies,
    "features": fuzzFeatures,
    "passive": fuzzPassive,
    "values": fuzzValues,
    "proxies": fuzzProxies,
    "facts": fuzzFacts,
    "text": fuzzText,
    "charsets": fuzzCharsets,
    "repetition": fuzzRepetition,
    "zones": fuzzZones,
    "journal": fuzzJournal,
    "json": fuzzJSON,
]

private let target: @Sendable ([UInt8]) -> Void = {
    let name = unsafe getenv("FTPFS_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print("targets: \(targets.keys.sorted().joined(separator: " "))")
        fflush(nil)
        _exit(2)
    }
    return target
}()

/// What libFuzzer calls for each input.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target(unsafe Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

/// Ends the run: libFuzzer keeps the input, and the message is in its output.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: \(message())") }
}
