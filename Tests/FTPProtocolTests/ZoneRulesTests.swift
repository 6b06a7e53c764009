import FTPProtocol
import FoundationEssentials
import Testing
import Vocabulary

/// Zones of the time zone database, from files made here and from those of the machine.
@Suite struct ZoneRulesTests {
    /// A file of the second version with one block of 64 bits; the one of 32 bits is empty but for its type.
    private static func file(
        beginnings: [(Int64, UInt8)] = [], offsets: [Int32] = [0], footer: String = "", version: UInt8 = 0x32
    ) -> [UInt8] {
        func number(_ value: Int64, _ width: Int) -> [UInt8] {
            (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) }
        }
        func header(times: Int, types: Int) -> [UInt8] {
            Array("TZif".utf8) + [version] + Array(repeating: 0, count: 15)
                + [0, 0, 0, times, types, 4].flatMap { number(Int64($0), 4) }
        }
        let name = Array("ABC\0".utf8)
        let small = header(times: 0, types: 1) + [0, 0, 0, 0, 0, 0] + name
        let large =
            header(times: beginnings.count, types: offsets.count) + beginnings.flatMap { number($0.0, 8) }
            + beginnings.map(\.1) + offsets.flatMap { number(Int64($0), 4) + [0, 0] } + name
        return small + large + Array("\n\(footer)\n".utf8)
    }

    private static func seconds(_ year: Int64, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Int64 {
        CivilTime(year: year, month: month, day: day, hour: hour, minute: minute)?.seconds ?? 0
    }

    @Test func theOffsetIsThatOfTheLastBeginning() throws {
        let rules = try #require(
            ZoneRules(parsing: Self.file(beginnings: [(100, 1), (200, 0), (300, 2)], offsets: [3_600, 7_200, -1_800])))
        #expect(
            [0, 99, 100, 199, 200, 299].map { rules.offset(at: $0) } == [3_600, 3_600, 7_200, 7_200, 3_600, 3_600])
        #expect([300, .max].map { rules.offset(at: $0) } == [-1_800, -1_800])
        #expect(rules.offset(at: .min) == 3_600)
    }

    @Test(
        arguments: [
            // Newfoundland: 02:00 on the second Sunday in March and the first in November.
            ("NST3:30NDT,M3.2.0,M11.1.0", 2026, 3, 8, 5, 29, -12_600),
            ("NST3:30NDT,M3.2.0,M11.1.0", 2026, 3, 8, 5, 30, -9_000),
            ("NST3:30NDT,M3.2.0,M11.1.0", 2026, 11, 1, 4, 29, -9_000),
            ("NST3:30NDT,M3.2.0,M11.1.0", 2026, 11, 1, 4, 30, -12_600),
            // The south: summer goes over the turn of the year.
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 2026, 1, 1, 0, 0, 39_600),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 2026, 7, 1, 0, 0, 36_000),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 2026, 4, 4, 15, 59, 39_600),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 2026, 4, 4, 16, 0, 36_000),
            // Ireland has winter time, an hour back.
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 2026, 1, 1, 0, 0, 0),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 2026, 7, 1, 0, 0, 3_600),
            // The last week, and hours beyond the day.
            ("CET-1CEST,M3.5.0,M10.5.0/3", 2027, 3, 28, 1, 0, 7_200),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2027, 3, 28, 0, 59, -7_200),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2027, 3, 28, 1, 0, -3_600),
            ("<+0545>-5:45", 2026, 6, 1, 0, 0, 20_700),
            // Days of the year, with and without the leap day.
            ("AAA0BBB,J60/0,J300/0", 2024, 2, 29, 23, 59, 0),
            ("AAA0BBB,J60/0,J300/0", 2024, 3, 1, 0, 0, 3_600),
            ("AAA0BBB,59/0,300/0", 2024, 2, 29, 0, 0, 3_600),
        ] as [(String, Int64, Int, Int, Int, Int, Int64)])
    func theRuleOfTheLastLineHoldsForAllTimesBehindTheTable(
        _ footer: String, _ year: Int64, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ offset: Int64
    ) throws {
        let rules = try #require(ZoneRules(parsing: Self.file(footer: footer)))
        #expect(rules.offset(at: Self.seconds(year, month, day, hour, minute)) == offset, "\(footer)")
    }

    @Test func aLocalTimeThatOccursTwiceIsTheFirstAndOneInTheGapIsTakenAsBefore() throws {
        let rules = try #require(ZoneRules(parsing: Self.file(footer: "NST3:30NDT,M3.2.0,M11.1.0")))
        #expect(rules.offset(atLocal: Self.seconds(2026, 11, 1, 1, 30)) == -9_000)
        #expect(rules.offset(atLocal: Self.seconds(2026, 11, 1, 2, 0)) == -12_600)
        #expect(rules.offset(atLocal: Self.seconds(2026, 3, 8, 2, 30)) == -12_600)
        #expect(rules.offset(atLocal: Self.seconds(2026, 3, 8, 3, 0)) == -9_000)
    }

    @Test func whatIsDamagedIsRefused() {
        let good = Self.file(beginnings: [(100, 1)], offsets: [0, 3_600], footer: "ABC-1")
        #expect(ZoneRules(parsing: good) != nil)
        // Without its last line it is whole all the same.
        for length in 0..<(good.count - 7) { #expect(ZoneRules(parsing: Array(good.prefix(length))) == nil) }
        #expect(ZoneRules(parsing: Array("root:x:0:0:root:/root:/bin/sh\n".utf8)) == nil)
        #expect(ZoneRules(parsing: Self.file(beginnings: [(100, 2)], offsets: [0, 3_600])) == nil)
        #expect(ZoneRules(parsing: Self.file(beginnings: [(100, 0), (100, 0)])) == nil)
        #expect(ZoneRules(parsing: Self.file(offsets: [100_000])) == nil)
        #expect(ZoneRules(parsing: Self.file(offsets: [])) == nil)
        #expect(ZoneRules(parsing: good + Array(repeating: 0, count: ZoneRules.maximumFileSize)) == nil)
    }

    @Test(arguments: ["", "A", "ABC", "ABC1DEF", "ABC99", "ABC1DEF,M13.1.0,M3.1.0", "ABC1DEF,M3.1.0", "<AB>1", "ABC1x"])
    func aLastLineThatIsNoRuleCountsAsNone(_ footer: String) throws {
        let rules = try #require(ZoneRules(parsing: Self.file(offsets: [1_800], footer: footer)))
        #expect(rules.offset(at: 0) == 1_800)
    }

    private static let hasDatabase = FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Asia/Kathmandu")

    @Test(
        .enabled(if: hasDatabase, "needs the time zone database"),
        arguments: [
            ("Asia/Kathmandu", 2026, 1, 20_700), ("America/St_Johns", 2026, 1, -12_600),
            ("America/St_Johns", 2026, 7, -9_000), ("America/St_Johns", 2060, 7, -9_000),
            ("Europe/Berlin", 1942, 1, 7_200), ("Etc/UTC", 2026, 7, 0), ("Pacific/Kiritimati", 2026, 7, 50_400),
            ("Australia/Lord_Howe", 2026, 1, 39_600), ("Australia/Lord_Howe", 2026, 7, 37_800),
        ] as [(String, Int64, Int, Int64)])
    func theDatabaseOfTheMachineIsUnderstood(_ name: String, _ year: Int64, _ month: Int, _ offset: Int64) throws {
        let data = try #require(FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)"))
        let rules = try #require(ZoneRules(parsing: Array(data)))
        #expect(rules.offset(at: Self.seconds(year, month, 15)) == offset, "\(name) \(year)-\(month)")
    }
}
