/// Names of months in listings, in the languages that servers are seen to use.
///
/// Abbreviations as `ls` prints them; a period behind is not counted. Letters that are not ASCII are known in UTF-8, and in
/// the other character sets in which servers send them (``LegacyLetters``). Where one word, in whatever set, would be two
/// months, the language that stands first in the table has it.
enum MonthNames {
    /// What a word in the place of a month is.
    enum Lookup {
        /// 1...12.
        case month(Int)
        /// Letters that are not ASCII: the month of a language that is not in the table.
        case unknown
    }

    /// What a word is as a month; `nil` when it cannot be one.
    static func lookUp(_ word: ArraySlice<UInt8>) -> Lookup? {
        if let month = month(word) { return .month(month) }
        return word.contains { $0 >= 0x80 } ? .unknown : nil
    }

    /// The month (1...12) that a word names: a name of the table, or digits and a sign that is not ASCII, as `8月`.
    static func month(_ word: ArraySlice<UInt8>) -> Int? {
        var word = word
        while let last = word.last, last == ASCII.period || last == ASCII.comma { word = word.dropLast() }
        // The longest name of the table has 10 bytes; the rest is room for a sign behind a number.
        guard (2...16).contains(word.count), let first = word.first else { return nil }
        if ASCII.isDigit(first) {
            let digits = word.prefix(while: ASCII.isDigit)
            let sign = word[digits.endIndex...]
            guard !sign.isEmpty, sign.allSatisfy({ $0 >= 0x80 }), let month = digits.oneOrTwoDigits,
                (1...12).contains(month)
            else { return nil }
            return month
        }
        if word.count == 3, let month = english(word) { return month }
        return table[word.map(ASCII.lowercased)]
    }

    /// English, without looking into the table: nearly all listings are.
    private static func english(_ word: ArraySlice<UInt8>) -> Int? {
        let start = word.startIndex
        let key =
            UInt32(ASCII.lowercased(word[start])) << 16 | UInt32(ASCII.lowercased(word[start + 1])) << 8
            | UInt32(ASCII.lowercased(word[start + 2]))
        return englishKeys.firstIndex(of: key).map { $0 + 1 }
    }

    private static let englishKeys: [UInt32] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct",
        "nov", "dec",
    ].map { name in name.utf8.reduce(0) { $0 << 8 | UInt32($1) } }

    private static let table: [[UInt8]: Int] = {
        var table: [[UInt8]: Int] = [:]
        for line in languages {
            for (index, names) in line.split(separator: " ").enumerated() {
                for name in names.split(separator: "|") {
                    // A capital letter in front that is not ASCII is a word of its own: nothing else changes its case.
                    for spelling in [String(name), name.prefix(1).uppercased() + name.dropFirst()] {
                        for bytes in [Array(spelling.utf8)] + LegacyLetters.spellings(of: spelling) {
                            let key = bytes.map(ASCII.lowercased)
                            if table[key] == nil { table[key] = index + 1 }
                        }
                    }
                }
            }
        }
        return table
    }()

    /// Twelve months per language, with `|` between spellings, in small letters. Croatian is missing: three of its months
    /// are called as others are in Polish and Czech.
    private static let languages = [
        // English, written out.
        "january february march april may june july august september|sept october november december",
        // French
        "janv|jan févr|fevr|fév|fev mars|mar avr|avril mai juin|jui juil|jul août|aout|aoû sept|sep oct nov déc|dec",
        // German, also of Austria
        "jan|jän|jänner feb mär|mrz|maer|märz apr mai jun|juni jul|juli aug sep|sept okt nov dez",
        // Spanish
        "ene feb mar abr may jun jul ago sep|sept oct nov dic",
        // Portuguese
        "jan fev mar abr mai jun jul ago set out nov dez",
        // Italian
        "gen feb mar apr mag giu lug ago set|sett ott nov dic",
        // Dutch
        "jan feb mrt|maa apr mei jun jul aug sep okt nov dec",
        // Danish, Norwegian and Swedish
        "jan feb mar|mars apr maj|mai jun|juni jul|juli aug sep okt nov dec|des",
        // Catalan
        "gen febr|feb març|mar abr maig|mai juny|jun jul ag|ago set oct nov des",
        // Romanian
        "ian feb mar apr mai iun iul aug sep|sept oct noi|nov dec",
        // Icelandic
        "jan feb mar apr maí jún júl ágú sep okt nóv des",
        // Finnish
        "tammi|tam helmi|hel maalis|maa huhti|huh touko|tou kesä|kes heinä|hei elo syys|syy loka|lok marras joulu|jou",
        // Polish
        "sty lut mar kwi maj cze lip sie wrz paź|paz lis gru",
        // Czech
        "led úno|uno bře|bre dub kvě|kve čen|cen čec|cec srp zář|zar říj|rij lis pro",
        // Slovak
        "jan feb mar apr máj jún júl aug sep okt nov dec",
        // Slovenian, and Serbian in Latin letters
        "jan feb mar apr maj jun jul avg sep okt nov dec",
        // Estonian
        "jaan veebr märts apr mai juuni juuli aug sept okt nov dets",
        // Latvian
        "janv febr marts apr maijs jūn jūl aug sept okt nov dec",
        // Lithuanian
        "sau vas kov bal geg bir lie rgp rgs spa lap grd",
        // Hungarian
        "jan febr|feb márc|már ápr máj jún júl aug szept|szep okt nov dec",
        // Turkish
        "oca şub|sub mar nis may haz tem ağu|agu eyl eki kas ara",
        // Russian, also with the endings of the genitive
        "янв фев|февр мар|марта апр май|мая июн|июня июл|июля авг сен|сент окт ноя|нояб дек",
        // Ukrainian
        "січ лют бер кві тра чер лип сер вер жов лис гру",
        // Bulgarian
        "яну фев мар апр май юни юли авг сеп окт ное дек",
        // Serbian and Macedonian
        "јан феб мар апр мај јун јул авг сеп окт нов|ное дец|дек",
        // Greek
        "ιαν φεβ μαρ|μάρ απρ μαΐ|μάι ιουν|ιούν ιουλ|ιούλ αυγ|αύγ σεπ οκτ νοε|νοέ δεκ",
    ]
}
