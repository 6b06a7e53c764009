import CFuseBridge
import FileSystem

typealias Context = UnsafeMutableRawPointer
typealias Caller = UnsafePointer<cfuse_caller>
typealias KernelName = UnsafePointer<CChar>
typealias KernelHandle = UnsafePointer<UInt64>

/// What every callback with a request does: enter the request, ask the file system, send its answer or its error.
///
/// - Parameters:
///   - answer: the kind of reply.
///   - ask: decodes the arguments and calls the file system.
func serve<Answer>(
    _ operation: Operation, _ context: Context, _ request: OpaquePointer, _ caller: Caller,
    answer: (consuming Reply, Answer) -> Void,
    ask: (any FileSystemOperations, Request) throws(StoreError) -> Answer
) {
    let bridge = Bridge.at(context)
    let reply = bridge.reply(to: request, operation, caller)
    let asked = reply.asked(by: caller.pointee)
    switch Result(catching: { () throws(StoreError) in try ask(bridge.fileSystem, asked) }) {
    case .success(let result): answer(reply, result)
    case .failure(let error): reply.failure(error)
    }
}

extension Bridge {
    /// Enters a request and returns the reply that it is owed.
    func reply(to request: OpaquePointer, _ operation: Operation, _ caller: Caller) -> Reply {
        Reply(to: requests.enter(request, operation, process: caller.pointee.process, bridge: self))
    }
}
