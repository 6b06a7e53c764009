import FTPProtocol
import Testing
import Vocabulary

@Suite struct CivilTimeTests {
    /// Seconds known from elsewhere (`date -u -d @n`).
    @Test(
        arguments: [
            (0, 1970, 1, 1, 0, 0, 0), (-1, 1969, 12, 31, 23, 59, 59), (951_782_400, 2000, 2, 29, 0, 0, 0),
            (951_868_800, 2000, 3, 1, 0, 0, 0), (1_709_251_199, 2024, 2, 29, 23, 59, 59),
            (2_147_483_648, 2038, 1, 19, 3, 14, 8),
            (4_107_542_400, 2100, 3, 1, 0, 0, 0), (253_402_300_799, 9999, 12, 31, 23, 59, 59),
            (-62_135_596_800, 1, 1, 1, 0, 0, 0), (-62_167_219_200, 0, 1, 1, 0, 0, 0),
            (-2_203_891_200, 1900, 3, 1, 0, 0, 0),
            (784_903_500, 1994, 11, 15, 12, 45, 0),
        ] as [(Int64, Int64, Int, Int, Int, Int, Int)])
    func knownMoments(seconds: Int64, year: Int64, month: Int, day: Int, hour: Int, minute: Int, second: Int) throws {
        let time = try #require(
            CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second))
        #expect(time.seconds == seconds)
        #expect(CivilTime(seconds: seconds) == time)
    }

    /// Every day of 800 years follows the one before it.
    @Test func daysAreConsecutive() {
        var expected = CivilTime(year: 1599, month: 12, day: 31)?.days ?? 0
        for year in Int64(1600)..<2400 {
            for month in 1...12 {
                for day in 1...CivilTime.daysInMonth(month, year: year) {
                    expected += 1
                    let date = CivilTime(year: year, month: month, day: day)
                    if date?.days != expected || date.map({ CivilTime(seconds: $0.seconds) }) != date {
                        Issue.record("\(year)-\(month)-\(day)")
                    }
                }
            }
        }
    }

    @Test(
        arguments: [
            (2023, 2, 29, 0, 0, 0), (1900, 2, 29, 0, 0, 0), (2024, 2, 30, 0, 0, 0), (2024, 4, 31, 0, 0, 0),
            (2024, 0, 1, 0, 0, 0), (2024, 13, 1, 0, 0, 0), (2024, 1, 0, 0, 0, 0), (2024, 1, 1, 24, 0, 0),
            (2024, 1, 1, 0, 60, 0), (2024, 1, 1, 0, 0, 60), (2024, 1, 1, -1, 0, 0), (.max, 1, 1, 0, 0, 0),
            (.min, 1, 1, 0, 0, 0),
        ] as [(Int64, Int, Int, Int, Int, Int)])
    func datesThatDoNotExist(year: Int64, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        #expect(CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second) == nil)
    }

    @Test(arguments: [Int64.min, .min + 1, .min + 86_400, -1, 0, 1, .max - 1, .max])
    func everyNumberOfSecondsGoesThereAndBack(seconds: Int64) {
        #expect(CivilTime(seconds: seconds).seconds == seconds)
    }
}

@Suite struct TimeValueTests {
    @Test(arguments: [
        ("20240610101112", utc(2024, 6, 10, 10, 11, 12)), ("19700101000000", utc(1970, 1, 1)),
        ("00010101000000", utc(1, 1, 1)), ("99991231235959", utc(9999, 12, 31, 23, 59, 59)),
        ("20240229000000", utc(2024, 2, 29)),
        // Without seconds; the year 19100; a leap second; a period without digits.
        ("202406101011", utc(2024, 6, 10, 10, 11)), ("191000101000000", utc(2000, 1, 1)),
        ("191240610101112", utc(2024, 6, 10, 10, 11, 12)), ("20161231235960", utc(2017, 1, 1)),
        ("20240610101112.", utc(2024, 6, 10, 10, 11, 12)),
        // Dates that do not exist, and other forms.
        ("20230229000000", nil), ("20241310101112", nil), ("20240600101112", nil), ("20240610241112", nil),
        ("20240610106012", nil), ("20240610101161", nil), ("", nil), ("2024", nil), ("20240610", nil),
        ("2024061010111", nil),
        ("202406101011122", nil), ("2024061010111x", nil), ("-2024061010111", nil), ("20240610101112.x", nil),
        ("20240610101112Z", nil), (" 20240610101112", nil), (String(repeating: "1", count: 1_000), nil),
    ])
    func parses(text: String, time: Timestamp?) {
        #expect(TimeValue.parse(bytes(text)) == time)
    }

    @Test(
        arguments: [
            ("1", 100_000_000), ("999", 999_000_000), ("123456789", 123_456_789), ("1234567899", 123_456_789),
            ("000000001", 1), ("0", 0),
        ] as [(String, UInt32)])
    func keepsFractions(digits: String, nanoseconds: UInt32) {
        #expect(TimeValue.parse(bytes("20240610101112." + digits))?.nanoseconds == nanoseconds)
    }

    @Test func formats() throws {
        let time = try #require(utc(2024, 6, 1, 2, 3, 4))
        #expect(TimeValue.format(time) == "20240601020304")
        #expect(TimeValue.format(Timestamp(seconds: time.seconds, nanoseconds: 999_999_999)) == "20240601020304")
        #expect(TimeValue.format(Timestamp(seconds: 253_402_300_799)) == "99991231235959")
        #expect(TimeValue.format(Timestamp(seconds: -62_167_219_200)) == "00000101000000")
        #expect(TimeValue.format(Timestamp(seconds: 253_402_300_800)) == nil)
        #expect(TimeValue.format(Timestamp(seconds: -62_167_219_201)) == nil)
        #expect(TimeValue.format(Timestamp(seconds: .min)) == nil)
        #expect(TimeValue.format(Timestamp(seconds: .max)) == nil)
    }
}
