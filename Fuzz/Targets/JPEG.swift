/// One JPEG file. Its first marker is put right, so that no execution is spent on what is no JPEG.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 3 else { return -1 }
    var file = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    (file[0], file[1], file[2]) = (0xFF, 0xD8, 0xFF)
    file.withUnsafeBytes { ImageTarget.shared.read($0) }
    return 0
}
