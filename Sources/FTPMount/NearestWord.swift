/// The word of a list that a person most likely meant; `nil` when none is near.
///
/// Near is a Levenshtein distance of at most a third of the length, and at least 2: one slip of the finger in a short
/// word, a few in a long one. Of several at the same distance, the first one wins.
package func nearestWord(to word: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(2, word.utf8.count / 3)
    var best: (word: String, distance: Int)?
    for candidate in candidates {
        let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
        // A distance as long as the candidate shares nothing with it.
        guard distance <= limit, distance < candidate.utf8.count else { continue }
        if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.word
}

/// How many bytes have to be inserted, removed or replaced to turn one word into the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (position, byte) in left.enumerated() {
        var diagonal = row[0]
        row[0] = position + 1
        for column in right.indices {
            let substituted = diagonal + (byte == right[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(substituted, row[column] + 1, row[column + 1] + 1)
        }
    }
    return row[right.count]
}
