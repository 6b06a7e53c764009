internal import Vocabulary

/// Looking at one thing, and changing what is known of it.
enum FactCommands {
    static func size(_ session: Session, _ argument: [UInt8]) -> Answer {
        if session.isASCII, session.dialect.quirks.contains(.refusesSizeInASCII) { return session.answer(.sizeInASCII) }
        return file(.size, else: .sizeFailed, session, argument) { attributes in
            ["size": Array(String(attributes.size).utf8)]
        }
    }

    static func mdtm(_ session: Session, _ argument: [UInt8]) -> Answer {
        if session.dialect.quirks.contains(.setsTimeWithMDTM), let (time, name) = timeAndName(argument) {
            let time = Timestamp(seconds: time.seconds &- session.dialect.toldOffset)
            return setTime(.timeSet, session, time, name, isWritable: !session.core.configuration.isReadOnly)
        }
        return file(.time, else: .timeFailed, session, argument) { attributes in
            let time = Timestamp(seconds: attributes.modified.seconds &+ session.dialect.toldOffset)
            return ["time": Array(CivilTime(time).digits.utf8)]
        }
    }

    static func mfmt(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard let (time, name) = timeAndName(argument) else { return session.answer(.missingArgument) }
        return setTime(.factSet, session, time, name, isWritable: true)
    }

    static func mlst(_ session: Session, _ argument: [UInt8]) -> Answer {
        let path = session.path(argument)
        let quirks = session.dialect.quirks
        do throws(StorageError) {
            let attributes = try session.storage.attributes(of: path, following: true)
            let asWritten = argument.isEmpty ? Array(".".utf8) : argument
            let name = quirks.contains(.repeatsPathOfMachineListing) ? asWritten : path.absolute
            let entry = StorageEntry(name: name, attributes: attributes)
            let type = argument.isEmpty && quirks.contains(.repeatsPathOfMachineListing) ? "cdir" : nil
            let line = session.dialect.facts.line(entry, facts: session.facts, type: type)
            let fields: Answer.Fields = ["argument": argument.isEmpty ? path.absolute : argument]
            return Answer(session.answer(.factsBegin, fields), [line], session.answer(.factsEnd, fields))
        } catch {
            return session.refusal(.factsFailed, argument, error)
        }
    }

    // MARK: SITE

    static func site(_ session: Session, _ argument: [UInt8]) -> Answer {
        let (word, rest) = split(argument)
        let name = String(decoding: word, as: UTF8.self).uppercased()
        guard !word.isEmpty else { return session.answer(.siteMissing) }
        guard !session.dialect.lacks.contains("SITE " + name), let handler = siteCommands[name] else {
            return session.answer(.siteUnknown, ["argument": Array(name.utf8)])
        }
        if name != "HELP" && session.core.configuration.isReadOnly { return session.answer(.readOnly) }
        return handler(session, rest)
    }

    private static let siteCommands: [String: @Sendable (Session, [UInt8]) -> Answer] = [
        "CHMOD": chmod, "UTIME": utime, "SYMLINK": symlink,
        "HELP": { session, _ in session.answer(.siteHelp) },
    ]

    /// `SITE CHMOD 644 name`.
    private static func chmod(_ session: Session, _ argument: [UInt8]) -> Answer {
        let words = session.siteWords(argument)
        let (digits, name) = words.map { $0.count == 2 ? ($0[0], $0[1]) : ([], []) } ?? split(argument)
        guard let mode = UInt32(String(decoding: digits, as: UTF8.self), radix: 8), mode <= 0o7777, !name.isEmpty else {
            return session.answer(.missingArgument)
        }
        return session.answer(.modeChanged, else: .modeChangeFailed, name) { (storage, path) throws(StorageError) in
            try storage.setMode(path, to: mode)
            return [:]
        }
    }

    /// `SITE UTIME YYYYMMDDhhmm[ss] name`, or `SITE UTIME name access change creation UTC` with three times.
    private static func utime(_ session: Session, _ argument: [UInt8]) -> Answer {
        let (first, rest) = split(argument)
        let isShort = !session.dialect.oddities.contains(.wantsLongUtime)
        if isShort, let time = siteTime(first), !rest.isEmpty {
            return setTime(.utimeSet, session, time, rest, isWritable: true)
        }
        var words = argument.split(separator: 0x20).map { Array($0) }
        guard words.count >= 5, words.popLast() == Array("UTC".utf8), let time = siteTime(words[words.count - 2]) else {
            return session.answer(.missingArgument)
        }
        let name = Array(words.dropLast(3).joined(separator: [0x20]))
        return setTime(.utimeSet, session, time, name, isWritable: true)
    }

    /// `SITE SYMLINK target name`; names with blanks cannot be said.
    private static func symlink(_ session: Session, _ argument: [UInt8]) -> Answer {
        let (target, name) = split(argument)
        guard !target.isEmpty, !name.isEmpty else { return session.answer(.missingArgument) }
        return session.answer(.linkMade, else: .linkFailed, name) { (storage, path) throws(StorageError) in
            try storage.makeSymbolicLink(path, target: target)
            return [:]
        }
    }

    // MARK: Parts

    /// Answers for a plain file, and refuses anything else.
    private static func file(
        _ success: Phrase, else failure: Phrase, _ session: Session, _ argument: [UInt8],
        _ fields: (StorageAttributes) -> Answer.Fields
    ) -> Answer {
        do throws(StorageError) {
            let attributes = try session.storage.attributes(of: session.path(argument), following: true)
            let isTimeOfDirectory = success == .time && session.dialect.quirks.contains(.tellsTimeOfDirectories)
            guard attributes.kind == .file || isTimeOfDirectory else {
                return session.refusal(.notAFile, argument, .isDirectory)
            }
            return session.answer(success, fields(attributes))
        } catch {
            return session.refusal(failure, argument, error)
        }
    }

    private static func setTime(
        _ success: Phrase, _ session: Session, _ time: Timestamp, _ name: [UInt8], isWritable: Bool
    ) -> Answer {
        guard isWritable else { return session.answer(.readOnly) }
        return session.answer(success, else: .timeSetFailed, name) { (storage, path) throws(StorageError) in
            try storage.setModificationTime(path, to: time)
            return ["time": Array(CivilTime(time).digits.utf8)]
        }
    }

    /// `YYYYMMDDHHMMSS name`; `nil` if it is something else.
    private static func timeAndName(_ argument: [UInt8]) -> (Timestamp, [UInt8])? {
        let (digits, name) = split(argument)
        guard let time = CivilTime.parse(digits), !name.isEmpty else { return nil }
        return (time, name)
    }

    /// A time that may lack its seconds.
    private static func siteTime(_ digits: [UInt8]) -> Timestamp? {
        CivilTime.parse(digits.count == 12 ? digits + Array("00".utf8) : digits)
    }

    /// The first word, and what stands behind the blank behind it.
    private static func split(_ argument: [UInt8]) -> ([UInt8], [UInt8]) {
        let word = Array(argument.prefix { $0 != 0x20 })
        return (word, Array(argument.dropFirst(word.count + 1)))
    }
}
