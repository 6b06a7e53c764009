import FTPProtocol
import Vocabulary

/// How directories are listed, and what the clock of the listings is.
extension ServerProbe {
    static let listingSteps: [Step] = [
        Step(section: .listing, key: "method", title: "directories are listed by") { (run) throws(FTPError) in
            let session = try run.session()
            let entries = try session.list(.root, run.cancellation).entries
            let verb =
                switch session.server.known.listings.method {
                case .machine: "MLSD"
                case .listAll: "LIST -a"
                case .list: "LIST"
                }
            return .init(
                .text(verb), "\(entries.count == 1 ? "1 entry" : "\(entries.count) entries") in the base directory")
        },
        Step(section: .listing, key: "writable", title: "a directory can be made") { (run) throws(FTPError) in
            try run.makeScratch()
            return .init(.yes)
        },
        Step(
            section: .listing, key: "argument", title: "listings heed a path", needsScratch: true
        ) { (run) throws(FTPError) in
            guard let scratch = run.scratch else { throw .closed }
            try run.write([0x66], to: try run.place("one"))
            let names = try run.session().list(scratch, run.cancellation).entries.map(\.name.bytes)
            guard names == [Array("one".utf8)] else { return .init(.unknown, "the scratch directory lists wrongly") }
            return .init(run.server.known.listings.argument != .ignored)
        },
        Step(
            section: .listing, key: "time_zone", title: "listed times are ahead of UTC by", needsScratch: true
        ) { (run) throws(FTPError) in
            guard let scratch = run.scratch else { throw .closed }
            try run.write([0x66], to: try run.place("one"))
            let now = Timestamp.now
            // Taken as UTC, listed times are what the server wrote.
            return try run.withFreshLogin(
                { $0.timeZone = .fixed(0) }, knowing: { $0.listings.demote(.machine) }
            ) { (session) throws(FTPError) in
                guard let listed = try session.list(scratch, run.cancellation).entries.first?.modified else {
                    return .init(.unknown, "LIST says no time")
                }
                // Listed times have no seconds, and clocks differ. Zones are whole quarters of an hour from UTC.
                let ahead = Double(listed.seconds) - Double(now.seconds)
                return .init(.number(Int64((ahead / 900).rounded()) * 900, .seconds))
            }
        },
        Step(
            section: .listing, key: "clock", title: "the server's clock is ahead by", needsScratch: true
        ) { (run) throws(FTPError) in
            try run.write([0x66], to: try run.place("one"))
            let now = Timestamp.now
            guard let time = try run.session().modificationTime(of: try run.place("one"), run.cancellation) else {
                return .init(.unknown, "there is no MDTM")
            }
            let (ahead, overflow) = time.seconds.subtractingReportingOverflow(now.seconds)
            return overflow ? .init(.unknown) : .init(.number(ahead, .seconds))
        },
    ]
}
