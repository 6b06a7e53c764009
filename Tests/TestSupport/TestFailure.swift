/// A step of a test's preparation did not work; the text says which, with what the program printed.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
