/// The order of the numbers in a date like `04/03/24`, which servers take from the habits of their country.
package enum DateOrder: Int, CaseIterable, Hashable, Sendable {
    case monthDayYear
    case dayMonthYear
    case yearMonthDay
}

/// The votes of the lines of one listing for the order of the numbers in their dates.
///
/// A line votes for each order in which its numbers are a date that is not in the future. So one line with a 25 in the
/// first place decides for a thousand that could be read in both ways.
struct DateOrderVotes {
    private var votes = [Int](repeating: 0, count: DateOrder.allCases.count)

    /// Takes the vote of a line. `limit` is the last second that is not in the future.
    mutating func add(_ date: NumericDate, limit: Int64) {
        for order in DateOrder.allCases {
            if let civil = date.civil(order), civil.seconds <= limit { votes[order.rawValue] += 1 }
        }
    }

    /// The orders, those with more votes first. Of several with as many, the first of `preferred` comes first.
    func ranking(preferring preferred: [DateOrder]) -> [DateOrder] {
        func place(_ order: DateOrder) -> Int { preferred.firstIndex(of: order) ?? preferred.count }
        return DateOrder.allCases.sorted { left, right in
            let (ofLeft, ofRight) = (votes[left.rawValue], votes[right.rawValue])
            return ofLeft == ofRight ? place(left) < place(right) : ofLeft > ofRight
        }
    }

    /// The order that has more votes than each of the others.
    var winner: DateOrder? {
        guard let most = votes.max() else { return nil }
        let best = DateOrder.allCases.filter { votes[$0.rawValue] == most }
        return best.count == 1 ? best[0] : nil
    }
}

/// The date of an entry that can be read in several ways until all lines are known.
struct UndecidedDate {
    /// Where the entry is in the listing.
    let index: Int
    let date: NumericDate
}
