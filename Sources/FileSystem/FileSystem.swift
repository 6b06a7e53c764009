package import Logging
import Synchronization
import Threading
import Vocabulary

/// A tree of remote files that behaves like a local disk: caches of names, attributes and content over a
/// ``RemoteStore``, and a local spool for what is written. It knows neither FUSE nor FTP.
///
/// ## Where things are
/// - ``Tree`` (one monitor): inodes, directory records, handles. `FileSystem+Lookup` asks the store what it does not
///   know.
/// - ``FileContent`` (one for each open file): what of the content is here and what the server lacks (``WriteState``,
///   ``ExtentMap``, ``UploadPlan``, ``UploadStream``), the reader with its
///   stream (``FileReader``, ``ReadPlanner``), the gate for transfers.
/// - ``ChunkCache``, ``Spool``: bytes in memory and on disk, for all files.
/// - ``WriteBack`` (with `writeback`): what waits to be sent after its close.
/// - ``AheadState``: what programs will probably ask for next (``WalkPlanner``, ``FetchPlanner``).
///
/// ## Lock order
/// No thread holds a monitor while it calls the store, waits for another thread, or calls a completion;
/// the spool's disk is waited for only under the lock of that one file (``FileContent/state``). Where two monitors
/// nest, the order is
///
///     AheadState  →  Tree  →  ListingFlight
///     FileReader  →  ChunkCache, WorkerPool
///     FileContent.state  →  SpoolFile's own
///
/// A tree's monitor and a content's are never held together: what `stat` must know of a content is noted in the inode
/// (``Inode/LocalContent``), with a revision that puts late notes in order. Gates (``FileContent/gate``) come before
/// every monitor; who needs several enters them in the order of their inode numbers.
///
/// ## What a rename does to paths
/// Every call to the store takes its path from the tree at that moment
/// (``atPath(of:_:)``), and is repeated if a directory was renamed under it. Uploads below a directory end before that
/// is renamed, and none begins until it is over.
package final class FileSystem: Sendable {
    /// How many streams there can be at a time. Further ones wait until one of these pauses, which then ends. A
    /// server seldom allows more connections than 8 from one client, and a thread that waits costs only its stack.
    static let maximumStreams = 32
    /// How many listings and uploads at unmounting can be under way. As many as libfuse has threads to ask for them,
    /// and more.
    static let maximumErrands = 64

    let store: any RemoteStore
    let configuration: FileSystemConfiguration
    let logger: Logger
    let tree: Monitor<Tree>
    let chunks: ChunkCache
    let spool: Spool
    let streams = WorkerPool(named: "ftpfs read", limit: FileSystem.maximumStreams)
    let errands = WorkerPool(named: "ftpfs list", limit: FileSystem.maximumErrands)
    let feeders = WorkerPool(named: "ftpfs write", limit: FileSystem.maximumStreams)
    let ahead: Monitor<AheadState>
    /// Entered with the monitor of ``ahead`` held; nothing else is entered while they are.
    let knownWalkOrders = Monitor(KnownOrders<SiblingOrder>())
    let knownFiles = Monitor(KnownOrders<FetchPlanner.Files>())
    let room = Monitor(SpaceKnowledge())
    let listingsAhead = WorkerPool(named: "ftpfs ahead", limit: WalkPlanner.atOnce)
    /// What is sent after its close; `nil`: every close sends.
    let writeBack: WriteBack?

    /// A file system over a store. Makes no call to it.
    package convenience init(
        store: any RemoteStore, configuration: FileSystemConfiguration, logger: Logger = Logger(label: "filesystem")
    ) {
        self.init(store: store, configuration: configuration, logger: logger, writeBack: nil)
    }

    /// - Parameter writeBack: what waits to be sent after its close; `nil`: every close sends.
    init(
        store: any RemoteStore, configuration: FileSystemConfiguration, logger: Logger, writeBack: WriteBack?
    ) {
        self.writeBack = writeBack
        self.store = store
        self.configuration = configuration
        self.logger = logger
        tree = Monitor(
            Tree(configuration: configuration) { target, path throws(StoreError) in
                try store.shownTarget(target, ofLinkAt: path)
            })
        chunks = ChunkCache(capacity: configuration.cacheSize)
        spool = Spool(
            directory: configuration.spoolDirectory, limit: configuration.spoolSize,
            hasLostAndFound: writeBack != nil)
        ahead = Monitor(AheadState(cacheSize: configuration.cacheSize))
    }

    /// Runs `body` with the place where an inode is. If the server refuses it and a directory has been renamed
    /// meanwhile, the place may have been the wrong one, and it is run again.
    ///
    /// A rename that is under way is waited for: the store bounds that.
    ///
    /// - Throws: what `body` throws; `notFound` for what has no name any more.
    func atPath<Result>(
        of inode: InodeNumber, _ body: (RemotePath) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        var (path, moves) = try tree.withLock { tree throws(StoreError) in (try tree.path(of: inode), tree.moves) }
        while true {
            do throws(StoreError) {
                return try body(path)
            } catch {
                guard error.isRefusal else { throw error }
                let now = tree.wait(until: .never) { tree -> (path: RemotePath?, moves: UInt64)? in
                    tree.isMoving(inode, onServer: true)
                        ? nil : (tree.inodes[inode].flatMap { tree.inodes.path(of: $0) }, tree.moves)
                }
                guard let now, let place = now.path, place != path || now.moves != moves else { throw error }
                (path, moves) = (place, now.moves)
            }
        }
    }

    /// Refuses changes on a read-only mount.
    func requireWritable() throws(StoreError) {
        if configuration.readOnly { throw .readOnly }
    }
}

extension FileSystem: FileSystemOperations {}
