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
        do throws(SessionEnd) {
            answer = try run(session, .openingForWrite, .transferred, ["argument": argument]) {
                (transfer) throws(SessionEnd) in try transfer.receive(into: writer)
            }
        } catch {
            try? writer.close()
            throw error
        }
        do throws(StorageError) {
            try writer.close()
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
    static func run(
        _ session: Session, _ opening: Phrase, _ success: Phrase, _ fields: Answer.Fields,
        _ body: (Transfer) throws(SessionEnd) -> Transfer.Outcome
    ) throws(SessionEnd) -> Answer {
        guard !session.faults.refusesData, let socket = try session.data.connect() else {
            session.wasAborted = session.control.isAbortWaiting
            return session.answer(.dataConnectionFailed)
        }
        var fields = fields
        fields["type"] = Array((session.isASCII ? "ASCII" : "BINARY").utf8)
        try session.reply(session.answer(opening, fields))
        let transfer = Transfer(
            control: session.control, data: session.data, socket: socket, faults: session.faults,
            hearsAbort: !session.dialect.quirks.contains(.hearsAbortTooLate))
        let outcome = try body(transfer)
        session.data.disconnect(.close)
        switch outcome {
        case .complete: return session.answer(success, fields)
        case .aborted:
            session.wasAborted = true
            return session.answer(.transferAborted)
        case .clientHungUp: return session.answer(.clientHungUp)
        case .cut: return session.answer(.transferAborted)
        case .failed(let error):
            return session.refusal(error == .noSpace ? .diskFull : .writeFailed, fields["argument"] ?? [], error)
        }
    }
}
