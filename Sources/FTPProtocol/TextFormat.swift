package import Vocabulary

/// The formats of `LIST`: what RFC 959 leaves to the server, and servers take from their systems.
///
/// The order is that in which they are tried: common ones first.
package enum TextFormat: String, CaseIterable, Hashable, Sendable {
    /// `ls -l`, which most servers print, whatever their system.
    case unix
    /// `dir` of DOS and Windows: IIS and others.
    case dos
    /// OpenVMS: MultiNet, UCX, CMU, TCPware.
    case vms
    /// "Easily Parsed LIST Format": publicfile, anonftpd.
    case eplf
    /// Novell NetWare.
    case netware
    /// IBM i (OS/400) in its own name format.
    case os400
    /// Data sets of IBM z/OS (MVS).
    case mvsDatasets
    /// Members of a partitioned data set of IBM z/OS (MVS).
    case mvsMembers
    /// IBM z/VM.
    case vm
    /// IBM OS/2.
    case os2
    /// HP NonStop (Tandem Guardian).
    case nonStop
    /// VxWorks, as in routers and instruments.
    case vxWorks
    /// Routers of Nortel.
    case wellfleet
    /// Old versions of VShell.
    case vshell
    /// Sterling Connect:Enterprise.
    case connectEnterprise
    /// A Unix format of numbers only.
    case numeric

    /// Reads one line as an entry of this format, whatever it may be in others.
    ///
    /// - Returns: `nil` when it is none, or only the first half of one.
    package func parse(_ line: [UInt8], now: Timestamp) -> ListingEntry? {
        guard case .entry(let entry) = read(line[...], now: now) else { return nil }
        return entry.entry
    }

    /// Reads one line without its line end. `now` is the present by the server's clock.
    func read(_ line: ArraySlice<UInt8>, now: Timestamp) -> LineReading {
        switch self {
        case .unix: UnixLine.read(line, now: now)
        case .dos: DOSLine.read(line)
        case .vms: VMSLine.read(line)
        case .eplf: EPLFLine.read(line)
        case .netware: NetWareLine.read(line, now: now)
        case .os400: OS400Line.read(line)
        case .mvsDatasets: MVSDatasetLine.read(line)
        case .mvsMembers: MVSMemberLine.read(line)
        case .vm: VMLine.read(line)
        case .os2: OS2Line.read(line)
        case .nonStop: NonStopLine.read(line)
        case .vxWorks: VxWorksLine.read(line)
        case .wellfleet: WellfleetLine.read(line)
        case .vshell: VShellLine.read(line)
        case .connectEnterprise: ConnectEnterpriseLine.read(line, now: now)
        case .numeric: NumericLine.read(line)
        }
    }

    /// The order of the numbers in a date, unless the lines of a listing show another one.
    var dateOrders: [DateOrder] {
        switch self {
        // The system's own form of a date is a number with the year in front.
        case .os400: [.yearMonthDay, .monthDayYear, .dayMonthYear]
        default: [.monthDayYear, .dayMonthYear, .yearMonthDay]
        }
    }
}

/// How a server writes the listings that `LIST` gives: what is worth keeping from one listing for the next.
///
/// It is a preference and not a rule. A server may have another format for another directory, as z/OS has for those of
/// its Unix side, and a listing that shows something else is read as what it is.
package struct ListingStyle: Hashable, Sendable {
    /// The format of the last listing that had an entry.
    package let format: TextFormat
    /// The order of the numbers in dates, once a listing has shown it.
    package let dateOrder: DateOrder?

    package init(format: TextFormat, dateOrder: DateOrder? = nil) {
        self.format = format
        self.dateOrder = dateOrder
    }
}
