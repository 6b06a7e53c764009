/// Files over a data connection.
enum TransferCommands {
    static func retr(_ session: Session, _ argument: [UInt8]) throws(SessionEnd) -> Answer {
        let (offset, range) = (session.range?.lowerBound ?? session.restart, session.range)
        (session.restart, session.range) = (0, nil)
        let reader: any StorageReader
        do throws(StorageError) {
            reader = try session.storage.openRead(session.path(argument))
        } catch {
            return session.refusal(error == .isDirectory ? .retrieveNotAFile : .retrieveFailed, argument, error)
        }
        defer { reader.close() }
        let size = reader.size
        if offset > size && session.dialect.quirks.contains(.refusesRestartBeyondEnd) {
            return session.answer(.restartBeyondEnd, ["argument": argument, "size": Array(String(size).utf8)])
        }
        if let range, range.upperBound >= size {
            return session.answer(.rangeBeyondEnd, ["argument": argument])
        }
        let count = range.map { $0.upperBound - $0.lowerBound + 1 } ?? .max
        let tellsRest = session.dialect.quirks.contains(.opensWithRemainingSize)
        let told = tellsRest ? min(count, max(0, size - offset)) : size
        let fields: Answer.Fields = ["argument": argument, "size": Array(String(told).utf8)]
        return try run(session, .openingForRead, .transferred, fields) { (transfer) throws(SessionEnd) in
            try transfer.send(.file(reader, from: offset, atMost: count))
        }
    }

    static func stor(_ session: Session, _ argument: [UInt8]) throws(SessionEnd) -> Answer {
        if let range = session.range {
            // What follows the range stays, also from byte 0 on.
            session.range = nil
            return try store(session, argument, .at(range.lowerBound, cuttingTail: false))
        }
        let offset = session.restart
        let quirks = session.dialect.quirks
        guard offset > 0, !quirks.contains(.ignoresRestartOfStore) else {
            return try store(session, argument, .replace)
        }
        return try store(session, argument, .at(offset, cuttingTail: quirks.contains(.cutsTailAfterRestart)))
    }

    static func appe(_ session: Session, _ argument: [UInt8]) throws(SessionEnd) -> Answer {
        try store(session, argument, .append)
    }

    private static func store(
        _ session: Session, _ argument: [UInt8], _ mode: StorageWriteMode
    ) throws(SessionEnd) -> Answer {
        let hasRange = session.range != nil
        (session.restart, session.range) = (0, nil)
        if hasRange { return session.answer(.rangeBeyondEnd, ["argument": argument]) }
        let writer: any StorageWriter
        do throws(StorageError) {
            let (storage, path) = (session.storage, session.path(argument))
            if mode == .replace, session.dialect.oddities.contains(.makesNoEmptyFiles) {
                writer = LateWriter { () throws(StorageError) in try storage.openWrite(path, mode: mode) }
            } else {
                writer = try storage.openWrite(path, mode: mode)
            }
        } catch {
            return session.refusal(.storeFailed, argument, error)
        }
        let answer: Answer
        var isTruncated = false
        do throws(SessionEnd) {
            answer = try run(session, .openingForWrite, .transferred, ["argument": argument], sends: false) {
                (transfer) throws(SessionEnd) in
                let outcome = try transfer.receive(into: writer)
                if case .truncated = outcome { isTruncated = true }
                return outcome
            }
        } catch {
            try? writer.close()
            throw error
        }
        do throws(StorageError) {
            try writer.close()
            // What was there before an append stays.
            if isTruncated, mode == .replace { try session.storage.removeFile(session.path(argument)) }
            return answer
        } catch {
            return session.refusal(error == .noSpace ? .diskFull : .writeFailed, argument, error)
        }
    }

    /// ABOR behind a transfer that it has ended, or when none runs.
    static func abor(_ session: Session, _ argument: [UInt8]) -> Answer {
        defer { session.wasAborted = false }
        return session.answer(session.wasAborted ? .abortDone : .abortIdle)
    }

    // MARK: Running

    /// Makes the data connection, says so, moves the bytes, closes it, and says how that went.
    ///
    /// - Parameter sends: whether the bytes go to the client.
    static func run(
        _ session: Session, _ opening: Phrase, _ success: Phrase, _ fields: Answer.Fields, sends: Bool = true,
        _ body: (Transfer) throws(SessionEnd) -> Transfer.Outcome
    ) throws(SessionEnd) -> Answer {
        let faults = session.faults
        guard !faults.refusesData, let connection = try session.data.connect() else {
            session.wasAborted = session.control.isAbortWaiting
            return session.answer(.dataConnectionFailed)
        }
        let transfer = Transfer(
            control: session.control, data: session.data, connection: connection, faults: faults,
            hearsAbort: !session.dialect.quirks.contains(.hearsAbortTooLate))
        let context = session.isDataPrivate ? session.core.tls : nil
        var fields = fields
        fields["type"] = Array((session.isASCII ? "ASCII" : "BINARY").utf8)
        if let context, faults.handshakesBeforeOpening, let problem = try transfer.secure(context) {
            return refusal(session, problem)
        }
        try session.reply(session.answer(opening, fields))
        if let context, !faults.handshakesBeforeOpening, let problem = try transfer.secure(context) {
            return refusal(session, problem)
        }
        var outcome = try body(transfer)
        if case .complete = outcome {
            let awaits = sends && context?.policy.requiresCloseNotifyOfDownloads == true
            outcome = try transfer.finish(awaitsClient: awaits)
        }
        session.data.disconnect(.close)
        switch outcome {
        case .complete: return session.answer(success, fields)
        case .aborted:
            session.wasAborted = true
            return session.answer(.transferAborted)
        case .clientHungUp: return session.answer(.clientHungUp)
        case .cut: return session.answer(.transferAborted)
        case .truncated: return session.answer(.uploadTruncated, fields)
        case .failed(let error):
            return session.refusal(error == .noSpace ? .diskFull : .writeFailed, fields["argument"] ?? [], error)
        }
    }

    /// The data connection cannot be used as it is.
    private static func refusal(_ session: Session, _ problem: Phrase) -> Answer {
        session.data.disconnect(.close)
        session.wasAborted = problem == .transferAborted
        if problem == .sessionNotReused, session.core.tls?.policy.hangsUpWithoutSessionReuse == true {
            session.isFinishing = true
        }
        return session.answer(problem)
    }
}
