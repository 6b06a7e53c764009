import FTPClient
import FTPProtocol
import FoundationEssentials
import Testing

@testable import FTPMount

/// `-o symlinks=` and `-o timezone=`.
@Suite struct ListingOptionTests {
    private func options(_ text: String) throws -> MountOptions {
        try MountOptions(parsing: [Array(text.utf8)], ignoringUnknown: false)
    }

    @Test func linksAreContainedUnlessToldOtherwise() throws {
        #expect(try options("ro").symbolicLinks == .contain)
        #expect(try options("symlinks=contain").symbolicLinks == .contain)
        #expect(try options("symlinks=follow").symbolicLinks == .follow)
        #expect(try options("symlinks=keep").symbolicLinks == .keep)
        #expect(throws: MountOptions.Invalid.self) { try options("symlinks=no") }
    }

    @Test(
        arguments: [
            ("auto", .automatic), ("UTC", .fixed(0)), ("+05:45", .fixed(20_700)), ("-03:30", .fixed(-12_600)),
            ("+0545", .fixed(20_700)), ("-3:30", .fixed(-12_600)), ("+2", .fixed(7_200)), ("+14:00", .fixed(50_400)),
            ("-00:00", .fixed(0)),
        ] as [(String, ServerTimeZone)])
    func zonesThatNeedNoDatabase(_ text: String, _ zone: ServerTimeZone) throws {
        #expect(try options("timezone=\(text)").timeZone == zone)
    }

    @Test(arguments: [
        "", "Nowhere/City", "../../../etc/passwd", "/etc/passwd", "Asia/../Asia/Kathmandu", "+15", "+5:60", "+5:4",
        "5:45",
        "+", "+1:00:00", "zone.tab", "Asia", "Asia/Kathmandu\0", "tzdata.zi",
    ])
    func whatIsNoZoneIsRefused(_ text: String) {
        #expect(throws: MountOptions.Invalid.self) { try options("timezone=\(text)") }
    }

    private static let hasDatabase = FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Asia/Kathmandu")

    @Test(.enabled(if: hasDatabase, "needs the time zone database"))
    func aZoneByNameComesFromTheDatabase() throws {
        guard case .rules(let rules) = try options("timezone=America/St_Johns").timeZone else {
            Issue.record("no rules")
            return
        }
        #expect(rules.offset(at: 1_783_000_000) == -9_000)
        #expect(rules.offset(at: 1_768_000_000) == -12_600)
    }
}
