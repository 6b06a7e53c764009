import Logging
import Threading
import Vocabulary

/// What ftpfs itself has left on a server.
extension FileSystem {
    /// Removes a directory that shows nothing.
    ///
    /// Temporary names in it are seen by nobody, and a directory with nothing else must be removable like an empty one. None
    /// of them is about to take somebody's place: that file would show. They go first.
    func removeDirectoryOnServer(
        _ name: FileName, in parent: InodeNumber, _ request: Request
    ) throws(StoreError) {
        try changing(parent, request) { path throws(StoreError) in
            let directory = path.appending(name)
            do throws(StoreError) {
                try store.removeDirectory(directory, cancellation: request.cancellation)
            } catch  where error.kind == .notEmpty {
                let entries = try store.list(directory, cancellation: request.cancellation)
                let isOurs = entries.allSatisfy { TemporaryName.matches($0.name) && $0.attributes.kind == .file }
                guard isOurs, !entries.isEmpty else { throw error }
                for entry in entries {
                    logger.notice("\(directory): removing \(entry.name), which was left there")
                    try store.removeFile(directory.appending(entry.name), cancellation: request.cancellation)
                }
                try store.removeDirectory(directory, cancellation: request.cancellation)
            }
        }
    }
}
