import FTPProtocol
import Testing
import Vocabulary

@testable import FTPClient

/// What is made of the times that a server tells: a question, an answer, what follows.
@Suite struct ServerClockTests {
    /// 2026-06-15T12:00:00Z.
    private static let now: Int64 = 1_781_524_800
    private static let kathmandu: Int64 = 20_700
    private static let stJohns: Int64 = -9_000

    private func compare(
        _ clock: inout ServerClock, listed: Int64, told: Int64?, _ precision: ListingEntry.Precision = .minute
    ) -> ServerClock.Finding {
        clock.compare(
            listed: Timestamp(seconds: listed), precision, told: told.map { Timestamp(seconds: $0) },
            now: Timestamp(seconds: Self.now))
    }

    private func listed(_ clock: ServerClock, _ seconds: Int64) -> Int64 {
        clock.fromListed(Timestamp(seconds: seconds)).seconds
    }

    @Test(arguments: [kathmandu, stJohns, 3_600, -12 * 3_600, 14 * 3_600, 34_200] as [Int64])
    func theDifferenceOfLISTAndMDTMIsTheOffset(_ offset: Int64) {
        var clock = ServerClock(.automatic)
        // Half an hour and 47 seconds ago, which LIST cuts off.
        let time = Self.now - 1_847
        let shown = (time + offset) - (time + offset) % 60
        #expect(compare(&clock, listed: shown, told: time) == .offset(offset))
        #expect(!clock.wantsSample && !clock.wantsUpload)
        #expect(listed(clock, shown) == shown - offset)
        #expect(clock.fromTold(Timestamp(seconds: time)).seconds == time)
        #expect(clock.asTold(Timestamp(seconds: time)).seconds == time)
        #expect(clock.offset(at: Self.now) == offset)
    }

    @Test func aServerInUTCIsLeftAsItIs() {
        var clock = ServerClock(.automatic)
        #expect(compare(&clock, listed: Self.now - 60, told: Self.now - 30) == .nothing)
        #expect(clock.listsUniversalTime && !clock.wantsSample)
        // Until an upload shows that it was not in UTC.
        #expect(clock.wantsUpload)
        let now = Timestamp(seconds: Self.now)
        #expect(clock.compare(uploaded: Timestamp(seconds: Self.now + 7), now: now) == nil)
        #expect(!clock.wantsUpload && clock.listsUniversalTime)
    }

    @Test func whatIsNoMultipleOfAQuarterOfAnHourIsTriedAgainWithAnotherFile() {
        var clock = ServerClock(.automatic)
        #expect(compare(&clock, listed: Self.now + 20_000, told: Self.now - 40) == .nothing)
        #expect(compare(&clock, listed: Self.now, told: nil) == .nothing)
        #expect(clock.wantsSample)
        #expect(compare(&clock, listed: Self.now + Self.kathmandu, told: Self.now) == .offset(Self.kathmandu))
    }

    @Test func afterThreeFilesThatTellNothingItIsTakenForUTC() {
        var clock = ServerClock(.automatic)
        for _ in 0..<ServerClock.maximumSamples {
            #expect(clock.wantsSample)
            #expect(compare(&clock, listed: Self.now + 15 * 3_600, told: Self.now) == .nothing)
        }
        #expect(!clock.wantsSample && !clock.wantsUpload && clock.listsUniversalTime)
    }

    @Test func aDayTellsNothingAndCostsNoTry() {
        var clock = ServerClock(.automatic)
        for _ in 0..<10 { #expect(compare(&clock, listed: Self.now, told: Self.now, .day) == .nothing) }
        #expect(clock.wantsSample)
    }

    @Test func bothInAZoneToTheEastIsNoticedAndAnUploadTellsWhich() {
        var clock = ServerClock(.automatic)
        let local = Self.now + Self.kathmandu
        #expect(compare(&clock, listed: local, told: local) == .ahead)
        #expect(clock.wantsUpload)
        let offset = clock.compare(
            uploaded: Timestamp(seconds: local + 20), now: Timestamp(seconds: Self.now))
        #expect(offset == Self.kathmandu)
        #expect(listed(clock, local) == Self.now)
        #expect(clock.fromTold(Timestamp(seconds: local)).seconds == Self.now)
        #expect(clock.asTold(Timestamp(seconds: Self.now)).seconds == local)
    }

    @Test func bothInAZoneToTheWestIsFoundByAnUploadAlone() {
        var clock = ServerClock(.automatic)
        let local = Self.now + Self.stJohns
        #expect(compare(&clock, listed: local, told: local) == .nothing)
        #expect(
            clock.compare(uploaded: Timestamp(seconds: local - 20), now: Timestamp(seconds: Self.now)) == Self.stJohns)
        #expect(listed(clock, local) == Self.now)
    }

    @Test(arguments: [900, -900, 5 * 3_600 + 400, 20 * 3_600, -3_600 * 24 * 365] as [Int64])
    func aClockThatIsWrongIsNotTakenForAZone(_ error: Int64) {
        var clock = ServerClock(.automatic)
        _ = compare(&clock, listed: Self.now, told: Self.now)
        let told = Timestamp(seconds: Self.now + error)
        #expect(clock.compare(uploaded: told, now: Timestamp(seconds: Self.now)) == nil)
        #expect(clock.listsUniversalTime && !clock.wantsUpload)
    }

    @Test func anMDTMInTheFutureIsTheOneInTheServersZone() {
        var clock = ServerClock(.automatic)
        #expect(compare(&clock, listed: Self.now, told: Self.now + Self.kathmandu) == .nothing)
        #expect(listed(clock, Self.now) == Self.now)
        #expect(clock.fromTold(Timestamp(seconds: Self.now + Self.kathmandu)).seconds == Self.now)
        #expect(clock.asTold(Timestamp(seconds: Self.now)).seconds == Self.now + Self.kathmandu)
    }

    @Test func aZoneThatTheUserNamesIsTakenAndMDTMIsFoundOut() {
        var universal = ServerClock(.fixed(Self.kathmandu))
        _ = compare(&universal, listed: Self.now + Self.kathmandu, told: Self.now)
        #expect(universal.fromTold(Timestamp(seconds: Self.now)).seconds == Self.now)
        var local = ServerClock(.fixed(Self.kathmandu))
        _ = compare(&local, listed: Self.now + Self.kathmandu, told: Self.now + Self.kathmandu)
        #expect(local.fromTold(Timestamp(seconds: Self.now + Self.kathmandu)).seconds == Self.now)
        for clock in [universal, local] {
            #expect(listed(clock, Self.now + Self.kathmandu) == Self.now)
            #expect(!clock.wantsSample && !clock.wantsUpload)
        }
    }

    @Test func aServerKnownToTellBothAlikeIsNotAsked() {
        var clock = ServerClock(.automatic)
        clock.tellsAlike()
        #expect(!clock.wantsSample && clock.wantsUpload)
        var named = ServerClock(.fixed(Self.kathmandu))
        named.tellsAlike()
        #expect(!named.wantsSample && !named.wantsUpload)
        #expect(named.fromTold(Timestamp(seconds: Self.now + Self.kathmandu)).seconds == Self.now)
    }

    @Test func UTCByTheUsersWordIsNeverDoubted() {
        let clock = ServerClock(.fixed(0))
        #expect(!clock.wantsSample && !clock.wantsUpload && clock.listsUniversalTime)
    }

    @Test func theEndsOfTimeDoNotOverflow() {
        var clock = ServerClock(.automatic)
        _ = compare(&clock, listed: .max, told: .min)
        _ = compare(&clock, listed: .min, told: .max)
        clock = ServerClock(.fixed(Self.kathmandu))
        _ = clock.fromListed(Timestamp(seconds: .min))
        _ = clock.asTold(Timestamp(seconds: .max))
        clock.tellsAlike()
        #expect(clock.compare(uploaded: Timestamp(seconds: .max), now: Timestamp(seconds: .min)) == nil)
    }
}
