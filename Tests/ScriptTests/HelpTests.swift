import TestSupport
import Testing

/// What `--help` prints, as a person sees it.
struct HelpTests {
    @Test(arguments: [
        [], ["unmount"], ["status"], ["list"], ["refresh"], ["flush"], ["probe"], ["clean"], ["serve"], ["demo"],
    ])
    func `help fits into 80 columns`(_ command: [String]) throws {
        let outcome = try Shell.run([Repository.program] + command + ["--help"], ["COLUMNS": "80"])
        #expect(outcome.succeeded)
        for line in outcome.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test func `in the table of options every line is indented, and the texts begin in one column`() throws {
        let lines = try Shell.run([Repository.program, "--help"]).output.split(
            separator: "\n", omittingEmptySubsequences: false)
        let table = lines.drop { $0 != "OPTIONS OF -o" }.dropFirst().prefix { !$0.isEmpty }
        #expect(table.count > 100)
        for line in table {
            // The name of an option, with a line of its own where it is long, or the next words of its text.
            let name = line.dropFirst(2).prefix { $0 != " " }
            #expect(line.hasPrefix("  ") && !line.hasPrefix("   ") || line.hasPrefix(String(repeating: " ", count: 26)))
            #expect(name.count < 24 || line.count == name.count + 2, "\(line)")
        }
    }
}
