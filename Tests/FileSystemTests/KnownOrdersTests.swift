import Testing
import Threading

@testable import FileSystem

@Suite struct KnownOrdersTests {
    private func key(_ directory: UInt64, generation: UInt64 = 1, listedAt: Int64 = 0) -> KnownOrders<String>.Key {
        .init(
            directory: InodeNumber(directory), generation: generation, listedAt: Instant(nanoseconds: listedAt))
    }

    @Test func `what is known of another listing does not count, and goes when that is put in order`() {
        var orders = KnownOrders<String>()
        orders.insert("old", for: key(1))
        #expect(orders.value(of: key(1)) == "old")
        #expect(orders.value(of: key(1, generation: 2)) == nil)
        #expect(orders.value(of: key(1, listedAt: 5)) == nil)

        orders.insert("new", for: key(1, listedAt: 5))
        #expect(orders.value(of: key(1)) == nil)
        #expect(orders.value(of: key(1, listedAt: 5)) == "new")
        #expect(orders.count == 1)
    }

    @Test func `of many directories those stay that were asked for last`() {
        var orders = KnownOrders<String>()
        for directory in 1...4 { orders.insert("\(directory)", for: key(UInt64(directory))) }
        #expect(orders.value(of: key(1)) == "1")
        orders.insert("5", for: key(5))
        #expect(orders.value(of: key(2)) == nil)
        for directory: UInt64 in [1, 3, 4, 5] { #expect(orders.value(of: key(directory)) == "\(directory)") }
    }
}
