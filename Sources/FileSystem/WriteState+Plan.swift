import Vocabulary

/// What is sent next, and with what.
extension WriteState {
    /// What to send next. Of an attempt that broke it must be known by now what became of it.
    ///
    /// - Parameters:
    ///   - appends: whether the server takes bytes for the end of a file.
    ///   - replacesStart: whether it takes bytes for the beginning of one.
    func plan(
        appends: Bool, replacesStart: Bool = false
    ) -> (plan: UploadPlan, target: UploadPlan.Target) {
        func choice(_ size: Int64) -> UploadPlan {
            UploadPlan.choose(map, serverSize: size, appends: appends, replacesStart: replacesStart)
        }
        if let attempt, attempt.target == .temporary {
            return late[.temporary]?.needsNewFile == true ? (.whole, .name) : (choice(attempt.reach), .temporary)
        }
        if needsNewFile, choice(serverSize) != .nothing || mustReplace { return (.whole, .name) }
        if mustReplace { return (.whole, .name) }
        if serverSize == 0, !isAppendOnly, !map.dirty.isEmpty { return (.whole, .name) }
        // An empty file that is appended to may not be empty any more.
        if serverSize == 0, appends, map.dirty.ranges.count == 1 { return (.append(0..<map.size), .name) }
        return (choice(serverSize), .name)
    }

    /// What is to be done behind the last byte of a transfer to the file's own name.
    ///
    /// - Parameter usual: the mode that the server gives to new files; `nil`: nobody knows yet, and whoever sets it looks.
    func errands(usualMode usual: UInt32?) -> UploadErrands {
        // One that gave way goes on later.
        guard !isInterrupted else { return UploadErrands() }
        let mode = wantedMode.flatMap { mode in isMadeAnew && (usual == nil || usual == mode) ? nil : mode }
        return UploadErrands(mode: mode, time: wantedTime)
    }
}
