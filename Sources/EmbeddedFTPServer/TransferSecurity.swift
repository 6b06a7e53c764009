internal import SystemPackage
internal import Threading

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// The begin and the end of TLS on a data connection.
extension Transfer {
    /// Does the handshake, whose server the FTP server always is (RFC 4217 §7).
    ///
    /// - Returns: `nil` when it is done and the policy has nothing against it; else what is to be said.
    func secure(_ context: TLSContext) throws(SessionEnd) -> Phrase? {
        if faults.stallsHandshake {
            _ = try stall()
            return .dataHandshakeFailed
        }
        let refuses = faults.refusesResumption
        guard let tls = connection.secure(context, connection: control.number, refusesResumption: refuses) else {
            return .dataHandshakeFailed
        }
        let deadline = Deadline.after(control.configuration.dataTimeout)
        while true {
            try control.hold()
            let step = tls.handshake()
            switch step {
            case .done:
                let isOwn = tls.resumption == .sameConnection
                return context.policy.requiresSessionReuse && !isOwn ? .sessionNotReused : nil
            case .needsInput, .needsOutput:
                if hearsAbort && control.isAbortWaiting { return .transferAborted }
                let events = step == .needsInput ? POLLIN : POLLOUT
                guard try control.wait(for: connection.socket, events, until: deadline) else {
                    return .dataHandshakeFailed
                }
                if control.hasEnded { throw .closedByClient }
            case .end, .broken: return .dataHandshakeFailed
            }
        }
    }

    /// Ends the server's side of TLS in order: what is left is sent, then close_notify.
    ///
    /// - Parameter awaitsClient: whether the client's close_notify is waited for.
    func finish(awaitsClient: Bool) throws(SessionEnd) -> Outcome {
        guard let tls = connection.tls else { return .complete }
        if !faults.omitsCloseNotify { tls.writeCloseNotify() }
        guard try flush() else { return .clientHungUp }
        guard awaitsClient else { return .complete }
        let deadline = Deadline.after(control.configuration.dataTimeout)
        // Nothing is expected here; what comes nevertheless is passed over.
        return try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { (buffer) throws(SessionEnd) in
            while true {
                switch tls.read(into: buffer) {
                case .done: continue
                case .needsInput, .needsOutput:
                    guard try control.wait(for: connection.socket, POLLIN, until: deadline) else {
                        return .clientHungUp
                    }
                    if control.hasEnded { throw .closedByClient }
                case .end, .broken: return tls.gotCloseNotify ? .complete : .clientHungUp
                }
            }
        }
    }

    /// Sends what TLS has kept back. - Returns: false when the client does not take it.
    func flush() throws(SessionEnd) -> Bool {
        let deadline = Deadline.after(control.configuration.dataTimeout)
        while true {
            switch connection.flush() {
            case .end, .moved: return true
            case .hungUp: return false
            case .wouldBlock:
                guard try control.wait(for: connection.socket, POLLOUT, until: deadline) else { return false }
                if control.hasEnded { throw .closedByClient }
            }
        }
    }
}
