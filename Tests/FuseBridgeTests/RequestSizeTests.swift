import Testing

extension MountTests {
    /// How large the pieces are in which programs and the kernel ask.
    @Suite(.serialized) struct RequestSizeTests {
        @Test func `a program is to write large pieces to an empty file, and to read smaller ones`() throws {
            let mount = try MountedMemory()

            let (code, text) = try mount.run(": >empty; stat -c %o empty hello; rm empty")

            #expect(code == 0)
            #expect(text == "524288\n131072\n")
        }

        /// The kernel's largest request and its header fill the loop's buffer.
        @Test(arguments: ["4M", "1M", "1048575", "1048577", "4095"])
        func `a request of any size arrives whole`(_ size: String) throws {
            let mount = try MountedMemory()

            let (code, text) = try mount.run(
                """
                head -c 9000001 /dev/urandom >"$W/random"
                dd if="$W/random" of=one bs=\(size) iflag=fullblock status=none
                cmp one "$W/random"
                stat -c %s one
                """)

            #expect(code == 0)
            #expect(text == "9000001\n")
        }
    }
}
