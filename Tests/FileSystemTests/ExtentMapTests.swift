import Testing

@testable import FileSystem

@Suite struct ExtentMapTests {
    /// The same, byte by byte.
    private struct Model {
        struct Byte: Hashable {
            var isValid = false
            var isDirty = false
            var isTaken = false
        }

        var bytes: [Byte]

        mutating func wrote(_ range: Range<Int>) {
            guard !range.isEmpty else { return }
            while bytes.count < range.upperBound { bytes.append(Byte(isValid: true, isDirty: true)) }
            for index in range {
                bytes[index].isValid = true
                bytes[index].isDirty = true
            }
        }

        mutating func resize(to size: Int) {
            if size > bytes.count { wrote(bytes.count..<size) } else { bytes.removeLast(bytes.count - size) }
        }

        mutating func take(_ range: Range<Int>) {
            for index in range.clamped(to: 0..<bytes.count) where bytes[index].isDirty {
                bytes[index].isDirty = false
                bytes[index].isTaken = true
            }
        }

        mutating func giveBack(from offset: Int) {
            for index in bytes.indices.dropFirst(offset) where bytes[index].isTaken {
                bytes[index].isTaken = false
                bytes[index].isDirty = true
            }
        }

        mutating func rebase(onto size: Int, keepsSize: Bool) -> [Range<Int64>] {
            for index in bytes.indices { bytes[index].isValid = bytes[index].isDirty || bytes[index].isTaken }
            if !keepsSize {
                while let last = bytes.last, bytes.count > size, !last.isValid { bytes.removeLast() }
                while bytes.count < size { bytes.append(Byte()) }
            }
            let gaps = runs { $0 >= size && !self.bytes[$0].isValid }
            for gap in gaps { wrote(Int(gap.lowerBound)..<Int(gap.upperBound)) }
            return gaps
        }

        func runs(_ belongs: (Int) -> Bool) -> [Range<Int64>] {
            var runs: [Range<Int64>] = []
            for index in bytes.indices where belongs(index) {
                if let last = runs.last, last.upperBound == index {
                    runs[runs.count - 1] = last.lowerBound..<Int64(index) + 1
                } else {
                    runs.append(Int64(index)..<Int64(index) + 1)
                }
            }
            return runs
        }
    }

    // A failure names its seed; put it here to see it again.
    @Test(arguments: [1, 2, 3, 4, UInt64.random(in: 0...UInt64.max)])
    func `does what a table of bytes does`(seed: UInt64) throws {
        var random = Seeded(seed)
        for round in 0..<200 {
            let size = random.below(40)
            var map = ExtentMap(size: Int64(size))
            var model = Model(bytes: Array(repeating: .init(), count: size))
            for step in 0..<60 {
                let low = random.below(60)
                let range = low..<low + random.below(20)
                let wide = Int64(range.lowerBound)..<Int64(range.upperBound)
                switch random.below(9) {
                case 0...3:
                    map.wrote(wide)
                    model.wrote(range)
                case 4:
                    map.resize(to: Int64(low))
                    model.resize(to: low)
                case 5:
                    map.fetched(wide)
                    for index in range.clamped(to: 0..<model.bytes.count) { model.bytes[index].isValid = true }
                case 6:
                    map.take(wide)
                    model.take(range)
                case 7:
                    let from = random.below(2) == 0 ? 0 : low
                    map.giveBack(from: Int64(from))
                    model.giveBack(from: from)
                default:
                    if random.below(3) == 0 {
                        let keepsSize = random.below(2) == 0
                        let gaps = map.rebase(onto: Int64(low), keepsSize: keepsSize)
                        #expect(gaps == model.rebase(onto: low, keepsSize: keepsSize))
                    } else {
                        map.settle()
                        for index in model.bytes.indices { model.bytes[index].isTaken = false }
                    }
                }
                try #require(
                    agrees(map, model, asking: wide), "seed \(seed), round \(round), step \(step): \(map)")
            }
        }
    }

    private func agrees(_ map: ExtentMap, _ model: Model, asking range: Range<Int64>) -> Bool {
        let missing = model.runs { !model.bytes[$0].isValid }
        let asked = missing.map { $0.clamped(to: range) }.filter { !$0.isEmpty }
        return map.size == model.bytes.count
            && Array(map.valid.ranges) == model.runs { model.bytes[$0].isValid }
            && Array(map.dirty.ranges) == model.runs { model.bytes[$0].isDirty }
            && Array(map.taken.ranges) == model.runs { model.bytes[$0].isTaken }
            && map.missing(in: range) == asked
            && map.isWhole == missing.isEmpty
            && map.validCount == model.bytes.count { $0.isValid }
            && map.dirtyCount == model.bytes.count { $0.isDirty }
            && map.segments(of: range).reduce(0) { $0 + ($1.range.upperBound - $1.range.lowerBound) }
                == Int64(range.clamped(to: 0..<map.size).count)
    }
}
