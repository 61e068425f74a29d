@testable import Inference

private let file = ScratchFile("weights.safetensors")

/// One safetensors file: its header, then the values of all its tensors.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    file.write(UnsafeRawBufferPointer(start: bytes, count: count))
    do throws(ModelError) {
        let weights = try Safetensors(MappedFile(path: file.path))
        for (name, entry) in weights.entries {
            let tensor = try weights.tensor(name)
            guard tensor.shape == entry.shape, tensor.values.count == tensor.shape.reduce(1, *) else {
                fatalError("a tensor whose values do not fit its shape")
            }
        }
    } catch {
        guard !error.message.isEmpty, error.message.utf8.count < 4096 else {
            fatalError("a message of \(error.message)")
        }
    }
    return 0
}
