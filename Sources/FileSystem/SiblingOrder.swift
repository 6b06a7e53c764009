import Vocabulary

/// Something in a directory, by where it hangs.
struct Place: Hashable {
    let parent: InodeNumber
    let name: FileName
}

/// The orders in which programs go through the names of a directory.
struct SiblingOrder {
    /// An order.
    enum Kind: CaseIterable {
        /// As the server lists them: `find`, `du`, `grep -r`, `tar`.
        case listed
        /// By name: `ls -R`, `rsync`, the patterns of a shell.
        case byName
        /// By inode number: `cp -r`.
        case byNumber
    }

    private struct Line {
        let names: [FileName]
        let indices: [FileName: Int]

        init(_ names: [FileName]) {
            self.names = names
            indices = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    private let lines: [Kind: Line]

    /// - Parameters:
    ///   - names: in the server's order.
    ///   - directory: the hash of the directory's path, from which the inode numbers follow.
    init(_ names: [FileName], in directory: PathHash) {
        let numbered = names.map { (number: directory.appending($0).number, name: $0) }
        lines = [
            .listed: Line(names), .byName: Line(names.sorted()),
            .byNumber: Line(numbered.sorted { $0.number < $1.number }.map(\.name)),
        ]
    }

    /// The names in an order.
    func names(_ kind: Kind) -> [FileName] { lines[kind]?.names ?? [] }

    /// The order in which one name is the next after another, or the first of all, if there is one.
    func kind(from first: FileName?, to second: FileName) -> Kind? {
        Kind.allCases.first { kind in
            guard let line = lines[kind] else { return false }
            guard let first else { return line.indices[second] == 0 }
            return line.indices[first].map { line.indices[second] == $0 + 1 } ?? false
        }
    }

    /// The place of a name in an order.
    func index(of name: FileName, _ kind: Kind) -> Int? { lines[kind]?.indices[name] }
}
