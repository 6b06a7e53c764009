import FTPProtocol
import Testing
import Vocabulary

/// Months in the languages of servers, and dates that leave the year out.
@Suite struct MonthTests {
    private func listing(_ dates: [[UInt8]], now: Timestamp) -> Listing {
        var parser = ListingParser(format: .text, now: now)
        for (index, date) in dates.enumerated() {
            parser.consume(bytes("-rw-r--r-- 1 a b 5 ") + date + bytes(" file\(index)\r\n"))
        }
        return parser.finish()
    }

    private func months(_ words: [[UInt8]]) -> [Int?] {
        listing(words.map { $0 + bytes("  7  2020") }, now: Timestamp(seconds: 1_718_452_800)).entries.map { entry in
            entry.modified.map { CivilTime(seconds: $0.seconds).month }
        }
    }

    /// The months of a locale of glibc, as `LC_ALL=… ls -l` prints them.
    @Test(
        arguments: [
            ("en", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
            ("de", "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
            ("de_AT", "Jän Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
            ("fr", "janv. févr. mars avril mai juin juil. août sept. oct. nov. déc."),
            ("es", "ene feb mar abr may jun jul ago sep oct nov dic"),
            ("pt", "jan fev mar abr mai jun jul ago set out nov dez"),
            ("it", "gen feb mar apr mag giu lug ago set ott nov dic"),
            ("nl", "jan feb mrt apr mei jun jul aug sep okt nov dec"),
            ("ca", "gen. febr. març abr. maig juny jul. ag. set. oct. nov. des."),
            ("ro", "ian feb mar apr mai iun iul aug sep oct nov dec"),
            ("sv", "jan feb mar apr maj jun jul aug sep okt nov dec"),
            ("nb", "jan. feb. mars april mai juni juli aug. sep. okt. nov. des."),
            ("is", "jan feb mar apr maí jún júl ágú sep okt nóv des"),
            ("fi", "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu"),
            ("pl", "sty lut mar kwi maj cze lip sie wrz paź lis gru"),
            ("cs", "led úno bře dub kvě čen čec srp zář říj lis pro"),
            ("sk", "jan feb mar apr máj jún júl aug sep okt nov dec"),
            ("sl", "jan feb mar apr maj jun jul avg sep okt nov dec"),
            ("hu", "jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec."),
            ("et", "jaan veebr märts apr mai juuni juuli aug sept okt nov dets"),
            ("lv", "janv. febr. marts apr. maijs jūn. jūl. aug. sept. okt. nov. dec."),
            ("lt", "sau. vas. kov. bal. geg. bir. lie. rgp. rgs. spa. lap. grd."),
            ("tr", "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara"),
            ("ru", "янв фев мар апр мая июн июл авг сен окт ноя дек"),
            ("ru, as before 2017", "Янв Фев Мар Апр Май Июн Июл Авг Сен Окт Ноя Дек"),
            ("uk", "січ лют бер кві тра чер лип сер вер жов лис гру"),
            ("bg", "яну фев мар апр май юни юли авг сеп окт ное дек"),
            ("sr", "јан феб мар апр мај јун јул авг сеп окт нов дец"),
            ("el", "Ιαν Φεβ Μαρ Απρ Μαΐ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ"),
            ("ja, zh", "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月"),
            ("ko", "1월 2월 3월 4월 5월 6월 7월 8월 9월 10월 11월 12월"),
        ])
    func languages(language: String, names: String) {
        let words = names.split(separator: " ").map { Array($0.utf8) }
        #expect(months(words) == Array(1...12), "\(language)")
    }

    /// The same word in the character sets of old servers.
    @Test(
        arguments: [
            // ISO 8859-1, 8859-2, Windows-1250, 8859-9, 8859-13
            ([0x6D, 0xE4, 0x72], 3), ([0x64, 0xE9, 0x63], 12), ([0x70, 0x61, 0xBC], 10), ([0x70, 0x61, 0x9F], 10),
            ([0xFE, 0x75, 0x62], 2), ([0xDE, 0x75, 0x62], 2), ([0x6A, 0xFB, 0x6C], 7),
            // KOI8-R, Windows-1251, DOS 866, ISO 8859-5: January
            ([0xD1, 0xCE, 0xD7], 1), ([0xFF, 0xED, 0xE2], 1), ([0xEF, 0xAD, 0xA2], 1), ([0xEF, 0xDD, 0xD2], 1),
            // With a capital letter
            ([0xF1, 0xCE, 0xD7], 1), ([0xDF, 0xED, 0xE2], 1),
            // ISO 8859-7
            ([0xC9, 0xE1, 0xED], 1),
            // EUC-JP, GBK, Shift-JIS, Big5, EUC-KR: August
            ([0x38, 0xB7, 0xEE], 8), ([0x38, 0xD4, 0xC2], 8), ([0x38, 0x8C, 0x8E], 8), ([0x38, 0xA4, 0xEB], 8),
            ([0x38, 0xBF, 0xF9], 8),
        ] as [([UInt8], Int)])
    func characterSets(word: [UInt8], month: Int) {
        #expect(months([word]) == [month])
    }

    /// Every day of the year, seen from moments around the ends of years and of February.
    @Test(arguments: [
        utc(2024, 1, 1), utc(2024, 2, 28, 23, 59, 59), utc(2024, 2, 29), utc(2024, 3, 1), utc(2023, 2, 28, 12),
        utc(2023, 12, 31, 23, 59, 59), utc(2100, 3, 1), utc(2104, 2, 28), utc(1996, 7, 1),
    ])
    func datesWithoutAYearAreTheLastOnes(now: Timestamp?) throws {
        let now = try #require(now)
        let names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(separator: " ")
        var days: [[UInt8]] = []
        for month in 1...12 {
            for day in 1...CivilTime.daysInMonth(month, year: 2024) {
                days.append(bytes("\(names[month - 1]) \(day) 12:00"))
            }
        }
        let entries = listing(days, now: now).entries
        #expect(entries.count == 366)
        for entry in entries {
            let time = try #require(entry.modified)
            #expect(time.seconds <= now.seconds + 86_400, "\(entry.name)")
            let civil = CivilTime(seconds: time.seconds)
            // The same day a year later is too far ahead; a 29th of February may be eight years back.
            if civil.month != 2 || civil.day != 29 {
                #expect(time.seconds > now.seconds - 365 * 86_400, "\(entry.name)")
            }
        }
    }
}
