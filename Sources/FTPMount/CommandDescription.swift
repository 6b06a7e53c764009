/// A form of the command line as data: what the manual page and the completions are made of. The argument parser says it
/// of itself, so that they cannot differ from what the program takes.
package struct CommandDescription: Sendable {
    /// An argument of a command.
    package struct Argument: Sendable {
        /// As it is written, with its dashes; empty for one that is known by its place.
        package let names: [String]
        /// What stands for the value; `nil` for a flag.
        package let value: String?
        /// What the value may be, where that is a list.
        package let choices: [String]
        /// What it means, in a sentence.
        package let help: String
        /// Whether it may be left out.
        package let isOptional: Bool

        /// Whether it is known by its place.
        package var isPositional: Bool { names.isEmpty }
    }

    /// The word behind `ftpfs`; or the name of the program.
    package let name: String
    /// What it does, in a sentence.
    package let abstract: String
    /// What else there is to say; empty for nothing.
    package let discussion: String
    /// In the order of the help.
    package let arguments: [Argument]

    /// Reads what the argument parser says (swift-argument-parser, `ToolInfoV0`); what is not in that form is left out.
    package init(name: String, parserDump: String) {
        let command = JSON(parsing: parserDump.utf8)?["command"]
        self.name = name
        abstract = command?["abstract"]?.stringValue ?? ""
        discussion = command?["discussion"]?.stringValue ?? ""
        arguments = (command?["arguments"]?.arrayValue ?? []).compactMap(Self.argument)
    }

    private static func argument(_ json: JSON) -> Argument? {
        guard json["shouldDisplay"]?.boolValue ?? true else { return nil }
        let names = (json["names"]?.arrayValue ?? []).compactMap { name -> String? in
            guard let text = name["name"]?.stringValue, let kind = name["kind"]?.stringValue else { return nil }
            return (kind == "long" ? "--" : "-") + text
        }
        let isFlag = json["kind"]?.stringValue == "flag"
        return Argument(
            names: names, value: isFlag ? nil : json["valueName"]?.stringValue?.uppercased(),
            choices: (json["allValues"]?.arrayValue ?? []).compactMap(\.stringValue),
            help: json["abstract"]?.stringValue ?? "", isOptional: json["isOptional"]?.boolValue ?? false)
    }
}
