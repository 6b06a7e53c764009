import Logging
import Threading
import Vocabulary

/// Modes and times that are set together with the content.
extension FileSystem {
    /// Sets what is to be set of a file that was sent.
    ///
    /// - Returns: what the server has not got. It is shown here nevertheless, as for ``set(mode:of:_:isMadeAnew:_:)``.
    func set(
        _ wishes: WriteState.Wishes, of content: FileContent, isMadeAnew: Bool, _ cancellation: Cancellation
    ) -> StoredAttributes {
        let needed = wishes.mode.flatMap { mode in
            isMadeAnew && isUsual(mode, .name, of: content, cancellation) ? nil : mode
        }
        let stored: StoredAttributes
        switch (needed, wishes.time) {
        case (nil, nil):
            return StoredAttributes()
        case (let mode?, nil):
            stored = StoredAttributes(
                modeError: setting(content) { store, path throws(StoreError) in
                    try store.setMode(path, to: mode, cancellation: cancellation)
                })
        case (nil, let time?):
            stored = StoredAttributes(
                timeError: setting(content) { store, path throws(StoreError) in
                    try store.setModificationTime(path, to: time, cancellation: cancellation)
                })
        case (let mode?, let time?):
            var both = StoredAttributes()
            let failure = setting(content) { store, path throws(StoreError) in
                both = store.setAttributes(path, mode: mode, time: time, cancellation: cancellation)
                // What moves away meanwhile is found at its new place.
                if let error = both.timeError ?? both.modeError { throw error }
            }
            // Without a place to set them at, neither was tried.
            if let failure, both.modeError == nil, both.timeError == nil {
                both = StoredAttributes(modeError: failure, timeError: failure)
            }
            stored = both
        }
        if let error = stored.modeError {
            logger.warning("the mode of a file that was sent could not be set: \(error)")
        }
        if let error = stored.timeError {
            logger.warning("the modification time of a file that was sent could not be set: \(error)")
        }
        return stored
    }

    /// Why something could not be set; `nil`: it was.
    private func setting(
        _ content: FileContent, _ body: (any RemoteStore, RemotePath) throws(StoreError) -> Void
    ) -> StoreError? {
        do throws(StoreError) {
            try atPath(of: content.inode) { path throws(StoreError) in try body(store, path) }
            return nil
        } catch {
            return error
        }
    }

    /// Gives a file that was sent the mode that it is to have, if it has not got it by itself.
    ///
    /// - Parameter isMadeAnew: whether it has the mode that the server gives.
    /// - Returns: whether the server has it. If not, it is shown here nevertheless: the content is safe, and a program
    ///   that set it (cp -p, rsync -a) has long been told that it worked.
    func set(
        mode: UInt32, of content: FileContent, _ target: UploadPlan.Target, isMadeAnew: Bool,
        _ cancellation: Cancellation
    ) -> Bool {
        if isMadeAnew, isUsual(mode, target, of: content, cancellation) { return true }
        do throws(StoreError) {
            try atTarget(target, of: content) { path throws(StoreError) in
                try store.setMode(path, to: mode, cancellation: cancellation)
            }
            return true
        } catch {
            logger.warning("the mode of a file that was sent could not be set: \(error)")
            return false
        }
    }

    /// Whether a mode is what the server gives to new files. If nobody knows, one look at this one tells.
    private func isUsual(
        _ mode: UInt32, _ target: UploadPlan.Target, of content: FileContent, _ cancellation: Cancellation
    ) -> Bool {
        let (usual, isAsked) = tree.withLock { tree in
            // No server makes files executable; and what it was asked once and did not say, it will not say now.
            defer { if mode & 0o111 == 0 { tree.hasAskedForUsualMode = true } }
            return (tree.usualFileMode, tree.hasAskedForUsualMode || mode & 0o111 != 0)
        }
        if let usual { return usual == mode }
        if isAsked { return false }
        do throws(StoreError) {
            let seen = try atTarget(target, of: content) { path throws(StoreError) in
                try store.look(at: path, cancellation: cancellation)
            }
            guard let given = seen?.mode else { return false }
            tree.withLock { $0.usualFileMode = given }
            return given == mode
        } catch {
            return false
        }
    }
}
