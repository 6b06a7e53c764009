import Vocabulary

/// Makes a ``Listing`` of what the lines turned out to be: each name once, dates in one order, and all of it bounded.
struct EntryCollector {
    /// How much of a line ``Listing/firstSkipped`` shows.
    private static let excerptLength = 160
    /// How far behind the present a date is not in the future: clocks and zones differ by less than a day.
    private static let tolerance: Int64 = 86_400

    /// The last second that is not in the future.
    private let limit: Int64
    private var listing = Listing()
    private var names: Set<FileName> = []
    /// Where the entry of a name is, and its version, for names with versions.
    private var versions: [FileName: (index: Int, version: Int64)] = [:]
    private var votes = DateOrderVotes()
    private var undecided: [UndecidedDate] = []
    private var previousLineWasEmpty = false
    private var isInSubdirectory = false

    init(now: Timestamp) {
        let (sum, overflowed) = now.seconds.addingReportingOverflow(Self.tolerance)
        limit = overflowed ? .max : sum
    }

    /// An empty line: what follows may be the listing of another directory.
    mutating func takeEmptyLine() { previousLineWasEmpty = true }

    /// What the next line is.
    mutating func take(_ reading: LineReading, _ line: ArraySlice<UInt8>) {
        defer { previousLineWasEmpty = false }
        if isInSubdirectory {
            listing.skipped += 1
            return
        }
        switch reading {
        case .entry(let entry):
            add(entry, line)
        case .currentDirectory(let name):
            if !listing.entries.isEmpty, previousLineWasEmpty {
                isInSubdirectory = true
                leaveOut(line)
            } else if listing.currentDirectory == nil {
                listing.currentDirectory = name
            }
        case .itself:
            listing.showsItself = true
        case .header, .nothing:
            break
        case .broken, .notMine, .incomplete:
            leaveOut(line)
        }
    }

    /// Counts a line that is not understood.
    mutating func leaveOut(_ line: ArraySlice<UInt8>) {
        listing.skipped += 1
        if listing.firstSkipped == nil { listing.firstSkipped = printable(line.prefix(Self.excerptLength)) }
    }

    private mutating func add(_ new: LineEntry, _ line: ArraySlice<UInt8>) {
        if let version = new.version, let known = versions[new.entry.name] {
            if version > known.version {
                listing.entries[known.index] = new.entry
                versions[new.entry.name] = (known.index, version)
            }
            return
        }
        guard listing.entries.count < ListingParser.maximumEntryCount else {
            leaveOut(line)
            return
        }
        guard names.insert(new.entry.name).inserted else { return }
        let index = listing.entries.count
        listing.entries.append(new.entry)
        if let version = new.version { versions[new.entry.name] = (index, version) }
        if let date = new.date, date.isHabit {
            votes.add(date, limit: limit)
            undecided.append(UndecidedDate(index: index, date: date))
        }
    }

    /// The listing. `format` is that of the text, if one was chosen.
    mutating func finish(format: TextFormat?, style: ListingStyle?) -> Listing {
        guard let format else {
            listing.style = style
            return listing
        }
        listing.style = ListingStyle(format: format, dateOrder: votes.winner ?? style?.dateOrder)
        if !undecided.isEmpty {
            let preferred = (style?.dateOrder.map { [$0] } ?? []) + format.dateOrders
            let orders = votes.ranking(preferring: preferred)
            for date in undecided {
                guard let civil = date.date.civil(preferring: orders) else { continue }
                listing.entries[date.index].modified?.seconds += civil.seconds - date.date.civil.seconds
            }
        }
        return listing
    }
}
