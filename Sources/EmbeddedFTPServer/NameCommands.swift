/// Directories, and the names of things.
enum NameCommands {
    static func cwd(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(.directoryChanged, else: .directoryChangeFailed, argument) {
            (storage, path) throws(StorageError) in
            let kind = try storage.attributes(of: path, following: true).kind
            let isEntered = kind == .directory || session.dialect.quirks.contains(.entersFiles)
            guard isEntered else { throw .notDirectory }
            session.directory = path
            return [:]
        }
    }

    static func cdup(_ session: Session, _ argument: [UInt8]) -> Answer { cwd(session, Array("..".utf8)) }

    static func pwd(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(.workingDirectory, ["path": session.quoted(session.directory.absolute)])
    }

    static func mkd(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(.directoryMade, else: .directoryMakeFailed, argument) {
            (storage, path) throws(StorageError) in
            try storage.makeDirectory(path)
            let repeats = session.dialect.quirks.contains(.repeatsPathOfMakeDirectory)
            return repeats ? ["path": session.quoted(argument)] : [:]
        }
    }

    static func rmd(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(.directoryRemoved, else: .directoryRemoveFailed, argument) {
            (storage, path) throws(StorageError) in
            try session.removeDirectory(path)
            return [:]
        }
    }

    static func dele(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(.fileDeleted, else: .fileDeleteFailed, argument) { (storage, path) throws(StorageError) in
            try storage.removeFile(path)
            return [:]
        }
    }

    static func rnfr(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(.renameReady, else: .renameFromFailed, argument) { (storage, path) throws(StorageError) in
            _ = try storage.attributes(of: path, following: false)
            guard session.mayMove(path) else { throw .denied }
            session.renameFrom = path
            return [:]
        }
    }

    static func rnto(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard let source = session.renameFrom else { return session.answer(.renameFromFirst) }
        session.renameFrom = nil
        let replaces = !session.dialect.quirks.contains(.refusesReplacingRename)
        do throws(StorageError) {
            try session.storage.rename(source, to: session.path(argument), replacing: replaces)
            return session.answer(.renamed)
        } catch {
            return session.refusal(error == .exists ? .renameTargetExists : .renameFailed, argument, error)
        }
    }
}
