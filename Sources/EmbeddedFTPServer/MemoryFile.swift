internal import Threading

/// The content of one file in memory: pages of 64 KiB, of which only those that were written exist.
///
/// So a file of 5 GiB costs nothing until somebody writes into it, and then only what was written.
final class MemoryFile: Sendable {
    /// What a page that nobody wrote reads as.
    enum Filling: Sendable {
        case zeros
        /// ``MemoryTree/patternByte(at:)``: each offset tells whether the right byte came.
        case pattern
    }

    /// 64 KiB: large enough that copying dominates the look-up, small enough that a byte here and there in a huge file
    /// stays cheap.
    private static let pageSize: Int64 = 65_536

    private struct Content {
        var size: Int64
        var pages: [Int64: [UInt8]] = [:]
    }

    private let filling: Filling
    private let content: Monitor<Content>

    init(size: Int64 = 0, filling: Filling = .zeros) {
        self.filling = filling
        content = Monitor(Content(size: max(0, size)))
    }

    convenience init(_ bytes: [UInt8]) {
        self.init()
        bytes.withUnsafeBytes { write($0, at: 0) }
    }

    var size: Int64 { content.withLock { $0.size } }

    /// How many bytes of memory the content takes.
    var storedBytes: Int64 { content.withLock { Int64($0.pages.count) * Self.pageSize } }

    /// Cuts or extends. What is cut reads as zeros when the file grows again.
    func resize(to size: Int64) {
        content.withLock { content in
            if size < content.size {
                let kept = size / Self.pageSize
                content.pages = content.pages.filter { $0.key <= kept }
                if var page = content.pages[kept] {
                    for index in Int(size % Self.pageSize)..<page.count { page[index] = 0 }
                    content.pages[kept] = page
                }
            }
            content.size = size
        }
    }

    /// Copies bytes out. - Returns: how many, 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
        content.withLock { content in
            let count = max(0, min(Int64(buffer.count), content.size - offset))
            var done: Int64 = 0
            while done < count {
                let position = offset + done
                let inPage = position % Self.pageSize
                let length = Int(min(Self.pageSize - inPage, count - done))
                let target = UnsafeMutableRawBufferPointer(rebasing: buffer[Int(done)..<(Int(done) + length)])
                if let page = content.pages[position / Self.pageSize] {
                    page.withUnsafeBytes { target.copyMemory(from: .init(rebasing: $0[Int(inPage)...].prefix(length))) }
                } else {
                    fill(target, from: position)
                }
                done += Int64(length)
            }
            return Int(count)
        }
    }

    /// Writes bytes; a gap in front of them is filled as the rest of the file is.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        content.withLock { content in
            var done = 0
            while done < bytes.count {
                let position = offset + Int64(done)
                let number = position / Self.pageSize
                let inPage = Int(position % Self.pageSize)
                let length = min(Int(Self.pageSize) - inPage, bytes.count - done)
                // Taken out and put back, so that the page is not copied on every write.
                var page = content.pages.removeValue(forKey: number) ?? freshPage(number)
                page.withUnsafeMutableBytes { target in
                    UnsafeMutableRawBufferPointer(rebasing: target[inPage..<(inPage + length)])
                        .copyMemory(from: .init(rebasing: bytes[done..<(done + length)]))
                }
                content.pages[number] = page
                done += length
            }
            content.size = max(content.size, offset + Int64(bytes.count))
        }
    }

    private func freshPage(_ number: Int64) -> [UInt8] {
        var page = [UInt8](repeating: 0, count: Int(Self.pageSize))
        page.withUnsafeMutableBytes { fill($0, from: number * Self.pageSize) }
        return page
    }

    private func fill(_ target: UnsafeMutableRawBufferPointer, from offset: Int64) {
        switch filling {
        case .zeros:
            for index in target.indices { target[index] = 0 }
        case .pattern:
            for index in target.indices { target[index] = MemoryTree.patternByte(at: offset + Int64(index)) }
        }
    }
}
