package import FTPProtocol
import Vocabulary

/// In which zone a server tells times.
package enum ServerTimeZone: Hashable, Sendable {
    /// It is found out.
    case automatic
    /// So many seconds east of UTC, the whole year.
    case fixed(Int64)
    /// A zone with its summer times.
    case rules(ZoneRules)
}

/// Turns the times that a server tells into UTC.
///
/// `MLSD`, `MLST` and `MDTM` tell UTC (RFC 3659 §2.3). `LIST` has no rule: `ls` shows the zone of the server, and no
/// command tells which that is. It is found by comparing what both say of one file:
///
/// | `LIST` less `MDTM` | `MDTM` in the future | means |
/// | --- | --- | --- |
/// | 0 | no | both in UTC, or both in the server's zone: taken for UTC until an upload of our own shows otherwise |
/// | 0 | yes | both in a zone to the east of here, which one is not known yet |
/// | a multiple of a quarter of an hour, of −12 h to +14 h | no | `LIST` is in a zone so far to the east |
/// | the same | yes | it is `MDTM` that is in the server's zone, and `LIST` in UTC |
/// | anything else | | the file was changed in between, or a clock is odd: another file is compared |
///
/// Every offset in use is a multiple of a quarter of an hour (Nepal +5:45, Newfoundland −3:30). `MDTM` in the server's
/// zone is vsftpd's way with `use_localtime=YES`, and that of servers older than the RFC. Then only a moment that is
/// known from elsewhere helps, which is the end of an upload: what the server says of it, less our clock.
///
/// The offset found is the one at the date of that file, the newest in the listing, and holds for all: many servers
/// use the present offset for every date (vsftpd and Pure-FTPd do when they are confined to a directory), and for the
/// others the times of the other half of the year are an hour off. Who needs them exact names the zone.
///
/// A struct without I/O: the session asks what it wants to know, and tells it the answer.
struct ServerClock: Hashable, Sendable {
    /// How many files are compared at most, if the first comparisons give nothing.
    static let maximumSamples = 3
    /// How far clocks may differ, in seconds, before a time counts as one of the future: a quarter of an hour, the
    /// smallest difference of two zones.
    static let tolerance: Int64 = 900
    /// All offsets in use are multiples of this, in seconds.
    private static let step: Int64 = 900
    /// The offsets in use, in seconds.
    private static let range: ClosedRange<Int64> = (-12 * 3_600)...(14 * 3_600)
    /// How far an upload's time may be from a multiple of ``step``, in seconds: more than any clock that is kept in
    /// time, less than would make another multiple likely.
    private static let uploadTolerance: Int64 = 120

    /// How `MDTM` tells times.
    private enum Telling: Hashable {
        case universal
        /// In the same zone as `LIST`.
        case asListed
        /// So many seconds east of UTC, while `LIST` tells UTC.
        case shifted(Int64)
    }

    /// What is known, and what would help.
    private enum Stage: Hashable {
        /// Nothing yet: a comparison would help, of so many at most.
        case unknown(samples: Int)
        /// No difference between `LIST` and `MDTM`: an upload would tell.
        case alike
        /// Nothing more is to be found out.
        case settled
    }

    private var zone: ServerTimeZone
    private var telling = Telling.universal
    private var stage: Stage
    private let isNamed: Bool

    /// A clock of which nothing is known but what the user says.
    init(_ zone: ServerTimeZone) {
        self.zone = zone
        switch zone {
        case .automatic:
            stage = .unknown(samples: Self.maximumSamples)
            isNamed = false
        case .fixed(0):
            stage = .settled
            isNamed = true
        case .fixed, .rules:
            stage = .unknown(samples: Self.maximumSamples)
            isNamed = true
        }
    }

    /// Whether a comparison of `LIST` and `MDTM` would help.
    var wantsSample: Bool {
        if case .unknown = stage { return true }
        return false
    }

    /// Whether `MDTM` of a file that was just written would help.
    var wantsUpload: Bool { stage == .alike }

    /// The offset of `LIST` now, in seconds east of UTC: dates without a year are seen from there.
    func offset(at moment: Int64) -> Int64 {
        switch zone {
        case .automatic: 0
        case .fixed(let offset): offset
        case .rules(let rules): rules.offset(at: moment)
        }
    }

    /// Whether times of `LIST` are in UTC as they are.
    var listsUniversalTime: Bool { zone == .automatic || zone == .fixed(0) }

    /// A time of `LIST`, in UTC.
    func fromListed(_ time: Timestamp) -> Timestamp { time.moved(by: -listedOffset(time.seconds)) }

    /// A time of `MDTM`, in UTC.
    func fromTold(_ time: Timestamp) -> Timestamp {
        switch telling {
        case .universal: time
        case .asListed: fromListed(time)
        case .shifted(let offset): time.moved(by: -offset)
        }
    }

    /// A time in UTC as `MDTM time path` has to say it, which a server reads in the zone in which it tells.
    func asTold(_ time: Timestamp) -> Timestamp {
        switch telling {
        case .universal: time
        case .asListed: time.moved(by: offset(at: time.seconds))
        case .shifted(let offset): time.moved(by: offset)
        }
    }

    /// The server is known to tell `MDTM` and `LIST` in the same zone: a comparison would show nothing.
    mutating func tellsAlike() {
        guard case .unknown = stage else { return }
        if isNamed {
            telling = .asListed
            stage = .settled
        } else {
            stage = .alike
        }
    }

    /// What a comparison has brought.
    enum Finding: Hashable {
        /// So many seconds east of UTC.
        case offset(Int64)
        /// Both are in a zone of the server that cannot be found out now, but is ahead of ours.
        case ahead
        case nothing
    }

    /// Compares what `LIST` and `MDTM` say of one file.
    ///
    /// - Parameters:
    ///   - precision: that of the listed time; a day tells nothing.
    ///   - told: `nil` when the server does not say it.
    mutating func compare(
        listed: Timestamp, _ precision: ListingEntry.Precision, told: Timestamp?, now: Timestamp
    ) -> Finding {
        guard case .unknown(let samples) = stage, precision != .day else { return .nothing }
        stage = samples > 1 ? .unknown(samples: samples - 1) : .settled
        guard let told else { return .nothing }
        let difference =
            precision == .second
            ? listed.seconds &- told.seconds : Self.minute(listed.seconds) &- Self.minute(told.seconds)
        if isNamed {
            let expected = listedOffset(listed.seconds)
            guard difference == expected || difference == 0 else { return .nothing }
            telling = difference == expected ? .universal : .asListed
            stage = .settled
            return .nothing
        }
        guard difference % Self.step == 0, abs(difference) <= Self.range.upperBound else { return .nothing }
        let isAhead = told.seconds &- now.seconds > Self.tolerance
        if difference == 0 {
            stage = .alike
            return isAhead ? .ahead : .nothing
        }
        stage = .settled
        if isAhead {
            telling = .shifted(-difference)
            zone = .fixed(0)
            return .nothing
        }
        guard Self.range.contains(difference) else { return .nothing }
        zone = .fixed(difference)
        return .offset(difference)
    }

    /// Learns from what `MDTM` says of a file whose upload has just ended.
    ///
    /// - Returns: the offset, if it is another one than UTC's.
    mutating func compare(uploaded told: Timestamp?, now: Timestamp) -> Int64? {
        guard stage == .alike else { return nil }
        stage = .settled
        guard let told else { return nil }
        let difference = told.seconds &- now.seconds
        guard Self.range.contains(difference) else { return nil }
        let offset = (difference + (difference < 0 ? -Self.step : Self.step) / 2) / Self.step * Self.step
        // No zone is less than an hour from UTC: that would be a clock that is wrong.
        guard abs(difference - offset) <= Self.uploadTolerance, abs(offset) >= 3_600 else { return nil }
        zone = .fixed(offset)
        telling = .asListed
        return offset
    }

    private func listedOffset(_ local: Int64) -> Int64 {
        switch zone {
        case .automatic: 0
        case .fixed(let offset): offset
        case .rules(let rules): rules.offset(atLocal: local)
        }
    }

    /// Rounded towards the past, as `ls` does.
    private static func minute(_ seconds: Int64) -> Int64 {
        let rest = seconds % 60
        return seconds &- (rest < 0 ? rest + 60 : rest)
    }
}

extension Timestamp {
    fileprivate func moved(by seconds: Int64) -> Timestamp {
        // At the ends of what an Int64 holds there is nothing to be right about.
        Timestamp(seconds: self.seconds &+ seconds, nanoseconds: nanoseconds)
    }
}
