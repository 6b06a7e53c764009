import SystemPackage
import Threading
import Vocabulary

/// The first bytes of a transfer, which may go out with its command.
extension FileSystem {
    /// How many they are at most. A small file is all in it; and it fits into the socket's buffer and into the server's, so
    /// that nothing waits.
    private static var headLength: Int64 { 64 * 1024 }

    /// The first bytes of a range.
    static func head(of range: Range<Int64>) -> Range<Int64> {
        range.lowerBound..<min(range.upperBound, range.lowerBound + headLength)
    }

    /// Runs `open` with the first bytes of what a transfer is going to bring.
    func withHead<Result>(
        _ first: Range<Int64>, of range: Range<Int64>, _ content: FileContent,
        _ open: (UploadHead) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let isAll = first == range
        guard !first.isEmpty, let spool = content.state.withLock({ $0.spool }) else {
            return try open(UploadHead(file: nil, range: first, isAll: isAll))
        }
        return try spool.withDescriptor { file throws(StoreError) in
            try open(UploadHead(file: file.rawValue, range: first, isAll: isAll))
        }
    }
}
