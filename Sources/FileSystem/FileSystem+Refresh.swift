import Threading
package import Vocabulary

/// What the kernel has to forget after a refresh, before whoever asked for it looks again.
package struct Refreshed: Sendable {
    /// A name that the kernel may know, or may know to be absent.
    package struct Name: Hashable, Sendable {
        package let parent: InodeNumber
        package let name: FileName
        package let isDirectory: Bool
    }

    package var names: [Name] = []
    /// Inodes whose attributes, names and pages it may have.
    package var inodes: [InodeNumber] = []
    /// How many directories will be listed anew.
    package var directories = 0
}

/// Looking anew, because somebody says that the server has changed.
///
/// Nothing is asked here: what is known is taken as out of date, and the next look asks. The content of files is read
/// anew too, also if size and time are the same afterwards: whoever refreshes has a reason not to trust them. What is
/// being written here stays as it is.
extension FileSystem {
    /// Takes nothing as true any more that is known of a place and of all that is below it.
    ///
    /// - Parameter path: what to look at anew; need not be known, nor exist.
    /// - Returns: what the kernel has to be told to forget. Do that from a thread that answers no request.
    package func refresh(_ path: RemotePath) -> Refreshed {
        return tree.withLock { tree in
            var refreshed = Refreshed()
            guard var here = tree.inodes[.root] else { return refreshed }
            var known: [FileName] = []
            for name in path.components {
                guard let next = tree.inodes.child(name, of: here) else { break }
                known.append(name)
                here = next
            }
            if known.count < path.components.count {
                // The name may have come on the server since its directory was listed.
                tree.refresh(here, &refreshed)
                return refreshed
            }
            // Whether the place itself is still there is in its directory's listing.
            if let place = here.place, let parent = tree.inodes[place.parent] { tree.refresh(parent, &refreshed) }
            var waiting = [here]
            while let inode = waiting.popLast() {
                tree.refresh(inode, &refreshed)
                if let place = inode.place, inode.lookups > 0 {
                    refreshed.names.append(
                        .init(parent: place.parent, name: place.name, isDirectory: inode.kind == .directory))
                }
                waiting += inode.children.values.compactMap { tree.inodes[$0] }
            }
            return refreshed
        }
    }
}

extension Tree {
    /// Takes nothing as true of one inode.
    fileprivate mutating func refresh(_ inode: Inode, _ refreshed: inout Refreshed) {
        switch inode.kind {
        case .directory:
            directories.refresh(inode.number)
            refreshed.directories += 1
            refreshed.names += absences.take(inode.number).map {
                .init(parent: inode.number, name: $0, isDirectory: false)
            }
        case .file, .symbolicLink:
            // What is written here is newer than what the server has, and the kernel may have pages to be written.
            guard inode.local == nil, inode.writers == 0 else { return }
            inode.version = inodes.takeVersion()
        }
        if inode.lookups > 0 || inode.number == .root { refreshed.inodes.append(inode.number) }
    }
}
